using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Tests.Saving;

/// <summary>The clock of the day, which stamps manifests and files, is set forward or back by an hour in the middle of saves.</summary>
[Collection("torch")]
public sealed class ClockJumpTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("phi clock ").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void Run_ClockIsSetByAnHour_KeepsTheNewestAndTheNextAttemptGoesOnFromIt(int hours)
    {
        var clock = new SetClock();
        var checkpoint = new CheckpointSpec { EverySteps = 2, KeepLast = 2, OnPreemption = true };
        var first = new SavingRun(_root)
        {
            Steps = 8,
            Checkpoint = checkpoint,
            Time = _ => clock,
            OnStorage = (_, moment, name) =>
            {
                if (moment is StorageMoment.WriteEnded or StorageMoment.CommitEnded)
                {
                    File.SetLastWriteTimeUtc(Path.Combine(_root, name), clock.GetUtcNow().UtcDateTime);
                }

                // Between a shard and its manifest, and back again right before what is no longer kept is removed.
                clock.Offset += moment == StorageMoment.WriteEnded && SavingRun.IsShard(name, 4, 0) ? TimeSpan.FromHours(hours)
                    : moment == StorageMoment.CommitEnded && SavingRun.IsManifest(name, 6) ? TimeSpan.FromHours(-2 * hours)
                    : TimeSpan.Zero;
            },
        };
        Assert.Equal([RankExitCodes.Completed, RankExitCodes.Completed], first.Run());
        Assert.Equal([8, 6], first.Committed);

        clock.Offset += TimeSpan.FromHours(hours);
        var second = new SavingRun(_root) { Steps = 10, Checkpoint = checkpoint, Time = _ => clock };
        Assert.Equal([RankExitCodes.Completed, RankExitCodes.Completed], second.Run(attempt: 2));

        Assert.Equal([9, 10], second.Events.Where(told => told.Rank == 0).Select(told => told.Event).OfType<RankEvent.Stepped>().Select(told => told.Step.Step));
        Assert.Equal([10, 8], second.Committed);
    }

    private sealed class SetClock : TimeProvider
    {
        public TimeSpan Offset { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset;
    }
}
