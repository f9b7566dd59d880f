using Microsoft.Extensions.Time.Testing;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Retention;
using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Tests;

/// <summary>Retention on a folder: what a store is seen to hold, and what is gone afterwards.</summary>
public sealed class StoreRetentionTests : IDisposable
{
    private static readonly ModelConfiguration Small = new() { Layers = 1, HiddenSize = 8, Heads = 1, RotaryDim = 4, MlpSize = 16, VocabularySize = 257, SequenceLength = 8 };
    private readonly string _root = Directory.CreateTempSubdirectory("phi retention ").FullName;
    private readonly SavedRegions _state = new(Small, 1);
    private readonly CheckpointStore _store;

    public StoreRetentionTests() => _store = CheckpointStore.InFolder(_root);

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Retain_AfterACommit_RemovesOldCheckpointsAndOldOrphansAlone()
    {
        foreach (var step in new long[] { 10, 20, 30, 40 })
        {
            _state.Save(_store, 2, step: step);
        }

        new StoreRetention(_store).Pin(10, new CheckpointPin("ann", DateTimeOffset.UnixEpoch, null));
        Shard(25, attempt: 1, age: TimeSpan.FromHours(2));
        Shard(35, attempt: 1, age: TimeSpan.FromMinutes(10));
        Shard(40, attempt: 9, age: TimeSpan.FromHours(2));
        Shard(50, attempt: 1, age: TimeSpan.FromMinutes(10));
        Directory.CreateDirectory(Path.Combine(_root, "step-00000005"));
        File.WriteAllText(Path.Combine(_root, "step-00000005", "mine.txt"), "of somebody else");
        File.SetLastWriteTimeUtc(Path.Combine(_root, "step-00000005", "mine.txt"), DateTime.UtcNow.AddDays(-9));

        _store.Retain(new RetentionPolicy { KeepLast = 1, KeepEvery = 30 });

        Assert.Equal(["step-00000005", "step-00000010", "step-00000030", "step-00000035", "step-00000040", "step-00000050"], Directory.GetDirectories(_root, "step-*").Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(Directory.GetFiles(_store.UriOf(40).LocalPath), file => file.Contains("attempt-9", StringComparison.Ordinal));
        _store.Verify(_store.ReadManifest(40));
        Assert.DoesNotContain(Directory.GetFiles(_root), file => Path.GetFileName(file).StartsWith("clock", StringComparison.Ordinal));
    }

    [Fact]
    public void RemoveOrphans_OfARunThatEnded_LeavesItsCheckpoints()
    {
        _state.Save(_store, 1, step: 10);
        _state.Save(_store, 1, step: 20);
        Shard(30, attempt: 2, age: TimeSpan.FromHours(2));

        var removed = new StoreRetention(_store).RemoveOrphans(TimeSpan.FromHours(1)).Where(decision => decision.IsRemoved);

        Assert.Equal(30, Assert.Single(removed).Step);
        Assert.Equal([20, 10], _store.CommittedSteps());
        Assert.False(Directory.Exists(_store.UriOf(30).LocalPath));
        Assert.Empty(Directory.GetFiles(_root));
    }

    [Fact]
    public void Use_UntilItIsDisposedOf_KeepsTheCheckpointAndIsRenewed()
    {
        var time = new FakeTimeProvider();
        _state.Save(_store, 1, step: 10);
        _state.Save(_store, 1, step: 20);
        using (CheckpointUse.Begin(_store, 10, "ann", "export", time, problem => Assert.Fail(problem)))
        {
            _store.Retain(new RetentionPolicy { KeepLast = 1 });
            Assert.Equal([20, 10], _store.CommittedSteps());
            var marker = Directory.GetFiles(_store.UriOf(10).LocalPath, "use-*").Single();
            File.SetLastWriteTimeUtc(marker, DateTime.UtcNow.AddHours(-1));
            Assert.True(new StoreRetention(_store).Plan(new RetentionPolicy { KeepLast = 1 })[1].IsRemoved);
            time.Advance(CheckpointUse.Lifetime / 4);
            Assert.Equal("InUse", new StoreRetention(_store).Plan(new RetentionPolicy { KeepLast = 1 })[1].Reason);
        }

        _store.Retain(new RetentionPolicy { KeepLast = 1 });
        Assert.Equal([20], _store.CommittedSteps());
    }

    [Fact]
    public void Steps_ManifestThatIsDamaged_IsToldAndDoesNotCountAsKept()
    {
        foreach (var step in new long[] { 10, 20, 30 })
        {
            _state.Save(_store, 1, step: step);
        }

        File.WriteAllText(Path.Combine(_store.UriOf(30).LocalPath, "manifest.json"), "{");

        _store.Retain(new RetentionPolicy { KeepLast = 1 });

        Assert.Equal([(30, StepState.Damaged), (20, StepState.Committed)], new StoreRetention(_store).Steps().Select(step => (step.Step, step.State)));
    }

    [Fact]
    public void Pin_OfNoCheckpoint_IsRefused()
    {
        Shard(30, attempt: 1, age: TimeSpan.Zero);
        var retention = new StoreRetention(_store);

        Assert.Throws<CheckpointException>(() => retention.Pin(30, new CheckpointPin("ann", default, null)));
        _state.Save(_store, 1, step: 10);
        Assert.False(retention.Unpin(10));
        retention.Pin(10, new CheckpointPin("ann", default, "why"));
        Assert.Equal("why", retention.Steps()[^1].Pin!.Why);
        Assert.True(retention.Unpin(10));
    }

    /// <summary>A shard of a save that was never committed.</summary>
    private void Shard(long step, int attempt, TimeSpan age)
    {
        var shard = _store.WriteShard(step, attempt, 0, 1, [new StreamedTensor("t", WeightType.F32, [1], (_, into) => into.Clear())], CancellationToken.None);
        foreach (var file in new[] { shard.File, shard.Chunks!.File })
        {
            File.SetLastWriteTimeUtc(Path.Combine(_store.UriOf(step).LocalPath, file), DateTime.UtcNow - age);
        }
    }
}
