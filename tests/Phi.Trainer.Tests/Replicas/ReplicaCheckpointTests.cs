using Phi.Checkpoints.Format;
using Phi.Trainer.Replicas;

namespace Phi.Trainer.Tests.Replicas;

public sealed class ReplicaCheckpointTests
{
    [Fact]
    public void Of_FindsWhatIsWhole_NewestStepThenNewestAttemptFirst()
    {
        var whole = ReplicaCheckpoint.Of("run",
        [
            (0, [Part(0, step: 40, attempt: 1), Part(1, step: 40, attempt: 1), Part(0, step: 50, attempt: 1), Part(0, step: 40, attempt: 2)]),
            (1, [Part(0, step: 40, attempt: 1), Part(1, step: 40, attempt: 2), Part(1, step: 30, attempt: 3), Part(0, step: 30, attempt: 3)]),
        ]);

        Assert.Equal([(40, 2), (40, 1), (30, 3)], whole.Select(found => (found.Manifest.Step, found.Manifest.Attempt)));
        Assert.Equal([[0], [1]], whole[0].Holders);
        Assert.Equal([[0, 1], [0]], whole[1].Holders);
        Assert.Equal(["shard-0-attempt-1", "shard-1-attempt-1"], whole[1].Manifest.Shards.Select(shard => shard.File));
    }

    [Fact]
    public void Of_PartsOfOtherWorldSizesOrRuns_MakeNothingWhole() =>
        Assert.Empty(ReplicaCheckpoint.Of("run",
        [
            (0, [Part(0, step: 40, attempt: 1), Part(1, step: 40, attempt: 1, world: 3), Part(1, step: 40, attempt: 1, run: "other")]),
        ]));

    private static ReplicaPart Part(int index, long step, int attempt, int world = 2, string run = "run") => new(
        index,
        new CheckpointManifest { Step = step, RunId = run, Attempt = attempt, Seed = 1, WorldSize = world, Time = DateTimeOffset.UnixEpoch, Units = [], Shards = [new ShardEntry($"shard-{index}-attempt-{attempt}", 1, "")] },
        null);
}
