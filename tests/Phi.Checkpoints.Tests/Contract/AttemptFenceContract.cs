using Phi.Checkpoints.Format;
using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Tests.Contract;

/// <summary>What an attempt finds when it begins is all that older attempts of its run ever commit.</summary>
public abstract class AttemptFenceContract
{
    /// <summary>Opens a root once more: the same one for the same name.</summary>
    protected abstract ICheckpointStorage Open(string root);

    [Fact]
    public void Commit_AfterANewerAttemptBegan_IsRefusedAndLeavesNothing()
    {
        var store = Store();
        store.Begin("run", 1);
        Assert.True(Save(store, 1, 10));
        Store().Begin("run", 2);

        var error = Assert.Throws<SupersededException>(() => Save(store, 1, 20));

        Assert.Contains("attempt 1 of run run is superseded by attempt 2", error.Message, StringComparison.Ordinal);
        Assert.Equal([10], store.CommittedSteps());
        Assert.True(Save(store, 2, 20));
        Assert.False(Save(store, 2, 20));
    }

    [Fact]
    public void Begin_OlderThanTheNewest_IsRefusedAndTheSameMayBeginAgain()
    {
        var store = Store();
        store.Begin("run", 12);
        store.Begin("run", 12);

        Assert.Throws<SupersededException>(() => store.Begin("run", 9));
        Assert.True(Save(store, 12, 10));
    }

    [Fact]
    public void Begin_OfAnotherRun_FencesThatRunAlone()
    {
        var store = Store();
        store.Begin("run", 1);
        store.Begin("run-2/..", 7);
        store.Begin("run-", 8);

        Assert.True(Save(store, 1, 10));
        Assert.Equal([10], store.CommittedSteps());
    }

    [Fact]
    public void Begin_WhileAnOlderAttemptCommits_SeesAllThatItEverCommits()
    {
        for (var round = 0; round < 10; round++)
        {
            var root = round.ToString(System.Globalization.CultureInfo.InvariantCulture);
            var old = Store(root);
            old.Begin("run", 1);
            using var started = new Barrier(2);
            var (isSuperseded, hasBegun) = (false, false);
            var stale = new Thread(() =>
            {
                started.SignalAndWait();
                try
                {
                    // As long as it takes the newer to begin, and then often enough to break through a fence with a hole.
                    for (int step = 1, after = 0; after < 20; step++)
                    {
                        after += Volatile.Read(ref hasBegun) ? 1 : 0;
                        Save(old, 1, step);
                    }
                }
                catch (SupersededException)
                {
                    isSuperseded = true;
                }
            });
            stale.Start();
            started.SignalAndWait();
            var store = Store(root);
            store.Begin("run", 2);
            var found = store.CommittedSteps();
            Volatile.Write(ref hasBegun, true);
            stale.Join();

            Assert.True(isSuperseded);
            Assert.Equal(found, store.CommittedSteps());
        }
    }

    private CheckpointStore Store(string root = "root") => new(Open(root));

    private static bool Save(CheckpointStore store, int attempt, long step)
    {
        store.WriteFile(step, "shard", "values"u8);
        return store.Commit(new CheckpointManifest { Step = step, RunId = "run", Attempt = attempt, Seed = 1, WorldSize = 0, Time = DateTimeOffset.UnixEpoch, Units = [], Shards = [] });
    }
}
