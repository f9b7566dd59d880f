using Microsoft.Extensions.Time.Testing;
using Phi.Api.Agent;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Tests.Saving;

/// <summary>Ranks that are asked to leave save what the time is enough for.</summary>
[Collection("torch")]
public sealed class LeavingTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("phi leaving ").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Run_AskedWhileASaveIsInFlight_FinishesItAndSavesTheStep()
    {
        using var asked = new ManualResetEventSlim();
        SavingRun run = null!;
        run = new SavingRun(_root)
        {
            Checkpoint = new() { EverySteps = 2, KeepLast = 10, OnPreemption = true },
            Steps = 20,
            OnStorage = (_, moment, name) =>
            {
                if (moment == StorageMoment.CommitBegins && SavingRun.IsManifest(name, 2))
                {
                    SavingRun.Wait(asked);
                }
            },
            OnEvent = (rank, value) =>
            {
                if (rank == 1 && value is RankEvent.Stepped { Step.Step: 2 })
                {
                    // One rank alone; seen at the end of the third step.
                    run.Leave[1].Ask(null);
                }
                else if (rank == 0 && value is RankEvent.Stepped { Step.Step: 3 })
                {
                    asked.Set();
                }
            },
        };

        Assert.All(run.Run(), code => Assert.Equal(RankExitCodes.SavedAndLeft, code));

        Assert.Equal([3, 2], run.Committed);
        Assert.Equal([2, 3], run.Saved.Select(saved => saved.Step));
    }

    [Fact]
    public void Run_AskedWithSavingOnLeaveOff_FinishesTheSaveInFlightAlone()
    {
        SavingRun run = null!;
        run = new SavingRun(_root)
        {
            Checkpoint = new() { EverySteps = 2, KeepLast = 10, OnPreemption = false },
            Steps = 20,
            OnEvent = (rank, value) => AskAt(run, 2, null, rank, value),
        };

        Assert.All(run.Run(), code => Assert.Equal(RankExitCodes.SavedAndLeft, code));

        Assert.Equal([2], run.Committed);
    }

    /// <summary>A save takes 30 s on rank 1 and next to none on rank 0; half of the time is left on rank 0, and rank 1 knows of none.</summary>
    [Theory]
    [InlineData(36, false)]
    [InlineData(38, true)]
    public void Run_AskedWithSoMuchTimeLeft_SavesTheStepIfItIsEnough(int secondsLeft, bool isSaved)
    {
        var clocks = new[] { new FakeTimeProvider(), new FakeTimeProvider() };
        SavingRun run = null!;
        run = new SavingRun(_root)
        {
            Checkpoint = new() { EverySteps = 2, KeepLast = 10, OnPreemption = true },
            Steps = 20,
            Time = rank => clocks[rank],
            OnStorage = (rank, moment, name) =>
            {
                if (rank == 1 && moment == StorageMoment.WriteBegins && name.EndsWith(".safetensors", StringComparison.Ordinal))
                {
                    clocks[1].Advance(TimeSpan.FromSeconds(30));
                }
            },
            OnEvent = (rank, value) =>
            {
                if (rank == 0 && value is RankEvent.Stepped { Step.Step: 4 })
                {
                    run.Leave[0].Ask(TimeSpan.FromSeconds(secondsLeft));
                    run.Leave[1].Ask(null);
                }
            },
        };

        Assert.All(run.Run(), code => Assert.Equal(RankExitCodes.SavedAndLeft, code));

        Assert.Equal(isSaved ? [5, 4, 2] : [4, 2], run.Committed);
        Assert.Equal(
            isSaved ? [] : [(0, 5, MissedCheckpoint.NoTime, "leaving without saving step 5: 36.0 s are left, and a save takes about 30.0 s and needs 37.0 s to be safe; the checkpoint of step 4 is the newest")],
            run.Missed.Select(missed => (missed.Rank, missed.Checkpoint.Step, missed.Checkpoint.Reason, missed.Checkpoint.Message)));
    }

    [Fact]
    public void Run_AskedBeforeAnySaveWasMeasured_SavesTheStep()
    {
        SavingRun run = null!;
        run = new SavingRun(_root)
        {
            Checkpoint = new() { EverySteps = 100, KeepLast = 10, OnPreemption = true },
            Steps = 200,
            OnEvent = (rank, value) => AskAt(run, 2, TimeSpan.FromSeconds(1), rank, value),
        };

        Assert.All(run.Run(), code => Assert.Equal(RankExitCodes.SavedAndLeft, code));

        Assert.Equal([3], run.Committed);
    }

    [Fact]
    public void Run_SaveOfTheStepFailsOnLeaving_EndsWithAnError()
    {
        SavingRun run = null!;
        run = new SavingRun(_root)
        {
            Steps = 20,
            OnStorage = (_, moment, name) =>
            {
                if (moment == StorageMoment.WriteBegins && SavingRun.IsShard(name, 3, 1))
                {
                    throw new Checkpoints.StorageException("no answer");
                }
            },
            OnEvent = (rank, value) => AskAt(run, 2, null, rank, value),
        };

        Assert.All(run.Run(), code => Assert.Null(code));

        Assert.Equal([2], run.Committed);
        Assert.All(run.Failures, failure => Assert.Contains("step 3 must be saved before the ranks leave", failure!.Message, StringComparison.Ordinal));
    }

    private static void AskAt(SavingRun run, long step, TimeSpan? left, int rank, RankEvent value)
    {
        if (rank == 0 && value is RankEvent.Stepped stepped && stepped.Step.Step == step)
        {
            run.Leave[0].Ask(left);
        }
    }
}
