using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Resharding;
using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Tests;

/// <summary>Ranges are read at once, within a bound, and what goes wrong in one is told as if it had been alone.</summary>
public sealed class ParallelReadsTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("phi parallel ").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Load_ManyRanges_ReadsSeveralAtOnceAndNotMoreThanTheBound()
    {
        using var store = CheckpointStore.InFolder(_root);
        var state = new SavedRegions(new ModelConfiguration { Layers = 4, HiddenSize = 64, Heads = 2, RotaryDim = 8, MlpSize = 128, VocabularySize = 257, SequenceLength = 8 }, 1);
        var manifest = state.Save(store, 3);
        using var files = new MeetingFiles(store);

        state.AssertLoads(files, manifest, 0, 1);

        Assert.True(files.HasMet, "no two reads were ever under way at once");
        Assert.InRange(files.Most, 2, ParallelReads.Most);
    }

    [Fact]
    public void Run_StorageAndCheckpointFail_TellsOfTheStorage()
    {
        using var both = new Barrier(2);
        Assert.Throws<StorageException>(() => ParallelReads.Run([true, false], isStorage =>
        {
            both.SignalAndWait(TestContext.Current.CancellationToken);
            throw isStorage ? new StorageException("away") : new CheckpointException("damaged");
        }));
    }

    /// <summary>The first read waits for a second one.</summary>
    private sealed class MeetingFiles(ICheckpointFiles files) : ICheckpointFiles, IDisposable
    {
        private readonly ManualResetEventSlim _met = new();
        private int _now;
        private int _most;

        public bool HasMet => _met.IsSet;

        public int Most => _most;

        public void Dispose() => _met.Dispose();

        public void Read(long step, string file, long first, Span<byte> into)
        {
            var now = Interlocked.Increment(ref _now);
            for (var most = _most; now > most && Interlocked.CompareExchange(ref _most, now, most) != most; most = _most)
            {
            }

            if (now > 1)
            {
                _met.Set();
            }

            // A reader that is alone for good must not hang the test.
            _met.Wait(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
            files.Read(step, file, first, into);
            Interlocked.Decrement(ref _now);
        }
    }
}
