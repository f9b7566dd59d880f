using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Operator.Progress;
using Xunit;

namespace Phi.Operator.Tests;

/// <summary>Where a run's time went.</summary>
public sealed class RunProgressTests
{
    private static readonly DateTimeOffset Created = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Describe_AfterARewind_CountsTheRedoneStepsAsLostAndTheGapAsRecovering()
    {
        var progress = new RunProgress();
        for (var step = 1; step <= 10; step++)
        {
            progress.Add(1, Step(step, 5 + step));
        }

        progress.Add(new CheckpointEvent { Step = 6, Time = Created, Uri = "file:///c", Seconds = 0 });
        for (var step = 7; step <= 12; step++)
        {
            progress.Add(2, Step(step, 20 + step));
        }

        var status = progress.Describe(new TrainingJob { Metadata = new ObjectMeta { CreationTimestamp = Created } }, 100, Created.AddSeconds(32));

        Assert.Equal((12, 100), (status.Progress!.Step, status.Progress.TotalSteps));
        Assert.Equal(12, status.Goodput!.ProductiveSeconds);
        Assert.Equal(4, status.Goodput.LostSeconds!["lostWork"]);
        Assert.Equal(5, status.Goodput.LostSeconds["starting"]);
        Assert.Equal(11, status.Goodput.LostSeconds["recovering"]);
        Assert.Equal(32, status.Goodput.ProductiveSeconds + status.Goodput.LostSeconds.Values.Sum());
        Assert.Equal((6, 1), (status.Checkpoint!.Step, status.Checkpoint.Count));
    }

    [Fact]
    public void Add_SentTwice_CountsOnce()
    {
        var progress = new RunProgress();
        progress.Add(1, Step(1, 1));
        progress.Add(1, Step(1, 1));

        Assert.Equal(1, progress.Describe(new TrainingJob { Metadata = new ObjectMeta { CreationTimestamp = Created } }, 10, Created.AddSeconds(2)).Goodput!.ProductiveSeconds);
    }

    [Fact]
    public void Describe_SavesBesideTraining_CountsWhatTrainingStoodStillAlone()
    {
        var progress = new RunProgress();
        for (var step = 1; step <= 4; step++)
        {
            progress.Add(1, Step(step, 5 + step));
        }

        var missed = new MissedCheckpoint { Step = 3, Time = Created, Reason = MissedCheckpoint.StorageFailed, Message = "no answer", StallSeconds = 0.25 };
        progress.Add(new CheckpointEvent { Step = 2, Time = Created, Uri = "file:///c", Seconds = 30, StallSeconds = 0.5 });

        Assert.True(progress.Add(1, missed));
        Assert.False(progress.Add(1, missed));
        var goodput = progress.Describe(new TrainingJob { Metadata = new ObjectMeta { CreationTimestamp = Created } }, 100, Created.AddSeconds(10)).Goodput!;
        Assert.Equal(0.75, goodput.LostSeconds!["checkpointStall"]);
        Assert.Equal(10, goodput.ProductiveSeconds + goodput.LostSeconds.Values.Sum());
    }

    [Fact]
    public void Describe_SkippedCheckpoint_IsNoneAnyMoreUntilItsStepIsSavedAgain()
    {
        var progress = new RunProgress();
        progress.Add(Saved(2));
        progress.Add(Saved(4));
        var skipped = new SkippedCheckpoint { Step = 4, Time = Created, Message = "shard 1 is cut off" };

        Assert.True(progress.Add(2, skipped));
        Assert.False(progress.Add(2, skipped with { Message = "as another rank says it" }));

        var status = Describe(progress).Checkpoint!;
        Assert.Equal((2L, 1, 4L, "Damaged", "shard 1 is cut off"), (status.Step, status.Count, status.Skipped!.Step, status.Skipped.Reason, status.Skipped.Message));
        Assert.True(progress.Add(Saved(4)));
        Assert.False(progress.Add(2, skipped));
        Assert.Equal((4L, 4L), (Describe(progress).Checkpoint!.Step, Describe(progress).Checkpoint!.Skipped!.Step));
    }

    [Fact]
    public void Describe_ProblemsOfBeforeTheOperatorsRestart_StayInTheStatus()
    {
        var before = new CheckpointStatus { Missed = new CheckpointProblemStatus { Step = 6, Reason = MissedCheckpoint.StorageFailed, Message = "full" }, Skipped = new CheckpointProblemStatus { Step = 4 } };

        var status = new RunProgress().Describe(new TrainingJob { Status = new TrainingJobStatus { Checkpoint = before } }, 100, Created).Checkpoint!;

        Assert.Equal((null, 6L, "full", 4L), (status.Step, status.Missed!.Step, status.Missed.Message, status.Skipped!.Step));
    }

    private static TrainingJobStatus Describe(RunProgress progress) => progress.Describe(new TrainingJob { Metadata = new ObjectMeta { CreationTimestamp = Created } }, 100, Created.AddSeconds(10));

    private static CheckpointEvent Saved(long step) => new() { Step = step, Time = Created, Uri = $"file:///c/{step}" };

    private static StepEvent Step(long step, double at) =>
        new() { Rank = 0, Step = step, Time = Created.AddSeconds(at), Metrics = new Dictionary<string, double> { ["step_seconds"] = 1, ["loss"] = 1.0 / step, ["tokens"] = step * 100 } };
}
