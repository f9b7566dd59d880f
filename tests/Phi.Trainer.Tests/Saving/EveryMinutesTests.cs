using Microsoft.Extensions.Time.Testing;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Tests.Saving;

/// <summary>spec.checkpoint.everyMinutes, by rank 0's monotonic clock.</summary>
[Collection("torch")]
public sealed class EveryMinutesTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("phi minutes ").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    /// <summary>
    /// Ten minutes pass in the third step: all save it. In the seventh, which is the steps' turn, the count begins anew; so nine minutes
    /// more ask for nothing, and a tenth does.
    /// </summary>
    [Fact]
    public void Run_MinutesAndSteps_SavesByWhicheverComesFirst()
    {
        var clock = new FakeTimeProvider();
        var run = new SavingRun(_root)
        {
            Steps = 12,
            Checkpoint = new() { EverySteps = 7, EveryMinutes = 10, KeepLast = 10 },
            // The other rank's clock stands still.
            Time = rank => rank == 0 ? clock : new FakeTimeProvider(),
            OnEvent = (rank, value) =>
            {
                if (rank == 0 && value is RankEvent.Stepped { Step.Step: var step })
                {
                    clock.Advance(TimeSpan.FromMinutes(step switch { 2 => 10, 6 => 9, 8 => 9, 9 => 1, _ => 0 }));
                }
            },
        };

        Assert.All(run.Run(), code => Assert.Equal(Api.Agent.RankExitCodes.Completed, code));

        Assert.Equal([12, 10, 7, 3], run.Committed);
    }

    [Fact]
    public void Run_ClockOfTheDayJumps_SavesNothingForIt()
    {
        var clock = new JumpingTime();
        var run = new SavingRun(_root)
        {
            Checkpoint = new() { EverySteps = 100, EveryMinutes = 10, KeepLast = 10 },
            Time = _ => clock,
            OnEvent = (rank, value) => clock.Jump = TimeSpan.FromDays(1),
        };

        Assert.All(run.Run(), code => Assert.Equal(Api.Agent.RankExitCodes.Completed, code));

        Assert.Equal([6], run.Committed);
    }

    private sealed class JumpingTime : FakeTimeProvider
    {
        public TimeSpan Jump { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Jump;

        public override long GetTimestamp() => base.GetUtcNow().Ticks;
    }
}
