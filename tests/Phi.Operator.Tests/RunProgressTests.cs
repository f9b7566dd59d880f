using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Operator.Progress;
using Xunit;

namespace Phi.Operator.Tests;

/// <summary>Where a run's time went.</summary>
public sealed class RunProgressTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Created = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly RunProgressBed _bed = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _bed.OpenAsync(Ct);

    public ValueTask DisposeAsync() => _bed.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Describe_AfterARewind_CountsTheRedoneStepsAsLostAndTheGapAsRecovering(bool isRestarted)
    {
        await _bed.AddAsync(Batch(1, Enumerable.Range(1, 10).Select(step => Step(step, 5 + step))), Ct);
        if (isRestarted)
        {
            await _bed.RestartAsync(Ct);
        }

        await _bed.AddAsync(Batch(2, Enumerable.Range(7, 6).Select(step => Step(step, 20 + step))) with { Checkpoints = [new CheckpointEvent { Step = 6, Time = Created, Uri = "file:///c", Seconds = 0 }] }, Ct);

        var status = await DescribeAsync(32);
        Assert.Equal((12, 100), (status.Progress!.Step, status.Progress.TotalSteps));
        Assert.Equal(12, status.Goodput!.ProductiveSeconds);
        Assert.Equal(4, status.Goodput.LostSeconds!["lostWork"]);
        Assert.Equal(5, status.Goodput.LostSeconds["starting"]);
        Assert.Equal(11, status.Goodput.LostSeconds["recovering"]);
        Assert.Equal(32, status.Goodput.ProductiveSeconds + status.Goodput.LostSeconds.Values.Sum());
        Assert.Equal((6, 1), (status.Checkpoint!.Step, status.Checkpoint.Count));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Describe_Evaluations_TellsTheNewestStepsScoresAndWhatHasNone(bool isRestarted)
    {
        await _bed.AddAsync(Batch(1, [Step(1, 5)]) with { Evaluations = [Evaluation(20, "humaneval", 0.25), Evaluation(20, "mbpp", 0.5)] }, Ct);
        await _bed.AddAsync(Batch(1, []) with { Evaluations = [Evaluation(40, "mbpp", 0.75), Evaluation(40, "humaneval", 0) with { Reason = EvaluationEvent.SandboxRefused, Message = "no namespaces" }] }, Ct);
        await _bed.AddAsync(Batch(1, []) with { Evaluations = [Evaluation(30, "humaneval", 1)] }, Ct);
        if (isRestarted)
        {
            await _bed.RestartAsync(Ct);
            await _bed.AddAsync(Batch(1, [Step(2, 6)]), Ct);
        }

        var evaluation = (await DescribeAsync(32)).Evaluation!;
        Assert.Equal((40, 0.75, "humaneval: no namespaces"), (evaluation.Step!.Value, evaluation.PassAt1!.Value, evaluation.NotEvaluated));
        Assert.Equal(("mbpp", 4, 1), (Assert.Single(evaluation.Scores!).Suite, evaluation.Scores![0].Problems!.Value, evaluation.Scores[0].Samples!.Value));

        static EvaluationEvent Evaluation(long step, string suite, double score) =>
            new() { Step = step, Suite = suite, Time = Created, Committed = Created, Problems = 4, Samples = 1, Passed = (int)(4 * score), PassAt = new Dictionary<int, double> { [1] = score } };
    }

    /// <summary>phi-1's 8.48 GFLOP a token, 100 tokens a second, on two pods of 8 A100 of 312 TFLOPS.</summary>
    [Theory]
    [InlineData("nvidia-a100-80gb", 1.7e-4)]
    [InlineData("cpu", null)]
    [InlineData("fpga-9", null)]
    public async Task Describe_AJobThatTrains_TellsItsUtilizationWhereThePeakIsKnown(string type, double? expected)
    {
        await _bed.AddAsync(Batch(1, Enumerable.Range(1, 10).Select(step => Step(step, 5 + step))), Ct);
        var job = new TrainingJob
        {
            Metadata = new ObjectMeta { Name = "job", CreationTimestamp = Created, Generation = 1 },
            Spec = new TrainingJobSpec { Replicas = 2, Accelerator = new AcceleratorSpec { Type = type, PerReplica = 8 }, Phi = new PhiSpec { Model = new ModelSpec { Preset = "phi-1" } } },
        };

        double? Mfu() => _bed.Progress.Describe(job, 100, Created.AddSeconds(20)).Progress!.Mfu;

        Assert.Equal(expected, Mfu() is { } mfu ? Math.Round(mfu, 5) : null);
        // A spec that has changed counts.
        (job.Metadata.Generation, job.Spec.Accelerator.Type) = (2, "cpu");
        Assert.Null(Mfu());
    }

    /// <summary>Attempt 1 did its last step at 15 s and was suspended; it was resumed at 1000 s, and attempt 2 began to train at 1010 s.</summary>
    [Theory]
    [InlineData(600, false, false, 585, 0, 0)]
    [InlineData(1005, true, false, 985, 0, 5)]
    [InlineData(1011, true, true, 985, 10, 0)]
    public async Task Describe_ASuspendedJob_CountsTheTimeUntilItIsResumedAsSuspended(double now, bool isResumed, bool hasTrained, double suspended, double recovering, double other)
    {
        await _bed.AddAsync(Batch(1, Enumerable.Range(1, 10).Select(step => Step(step, 5 + step))), Ct);
        if (hasTrained)
        {
            await _bed.AddAsync(Batch(2, [Step(11, 1011)]), Ct);
        }

        var training = new Condition { Type = TrainingConditions.Training, Status = "False", Reason = isResumed ? "Resumed" : "Suspended", LastTransitionTime = Created.AddSeconds(15) };
        InterruptionStatus[] ends = isResumed ? [new InterruptionStatus { Attempt = 1, Reason = "Resumed", Time = Created.AddSeconds(1000) }] : [];
        var goodput = (await DescribeAsync(now, new TrainingJobStatus { Conditions = [training], Interruptions = [.. ends] })).Goodput!;

        Assert.Equal((suspended, recovering, other), (goodput.LostSeconds!["suspended"], goodput.LostSeconds["recovering"], goodput.LostSeconds["other"]));
        Assert.Equal(now, goodput.ProductiveSeconds + goodput.LostSeconds.Values.Sum());
    }

    [Fact]
    public async Task Describe_AnAttemptThatFailedBeforeTheSuspension_IsRecoveringUntilItsEnd()
    {
        await _bed.AddAsync(Batch(1, [Step(1, 6)]), Ct);
        await _bed.AddAsync(Batch(3, [Step(2, 120)]), Ct);
        List<InterruptionStatus> ends = [new() { Attempt = 1, Reason = "RankFailed", Time = Created.AddSeconds(20) }, new() { Attempt = 2, Reason = "Resumed", Time = Created.AddSeconds(100) }];

        var lost = (await DescribeAsync(120, new TrainingJobStatus { Interruptions = ends })).Goodput!.LostSeconds!;

        Assert.Equal((80, 33), (lost["suspended"], lost["recovering"]));
    }

    [Fact]
    public async Task Add_SentTwice_CountsOnce()
    {
        await _bed.AddAsync(Batch(1, [Step(1, 1)]), Ct);
        await _bed.AddAsync(Batch(1, [Step(1, 1)]), Ct);

        Assert.Equal(1, (await DescribeAsync(2)).Goodput!.ProductiveSeconds);
    }

    [Fact]
    public async Task Add_StepsBetweenReports_CountWithTheNext()
    {
        await _bed.AddAsync(Batch(1, [Step(30, 30), Step(40, 40)]), Ct);
        Assert.Equal(11, (await DescribeAsync(100)).Goodput!.ProductiveSeconds);

        await _bed.AddAsync(Batch(1, [Step(10, 10), Step(20, 20)]), Ct);
        Assert.Equal(31, (await DescribeAsync(100)).Goodput!.ProductiveSeconds);

        await _bed.AddAsync(Batch(2, [Step(30, 50), Step(40, 60)]), Ct);
        var goodput = (await DescribeAsync(100)).Goodput!;
        Assert.Equal((22, 20), (goodput.ProductiveSeconds, goodput.LostSeconds!["lostWork"]));
        Assert.Equal(Created.AddSeconds(120), (await DescribeAsync(60)).Progress!.EstimatedCompletion);
    }

    [Fact]
    public async Task Describe_SavesBesideTraining_CountsWhatTrainingStoodStillAlone()
    {
        var missed = new MissedCheckpoint { Step = 3, Time = Created, Reason = MissedCheckpoint.StorageFailed, Message = "no answer", StallSeconds = 0.25 };
        await _bed.AddAsync(Batch(1, Enumerable.Range(1, 4).Select(step => Step(step, 5 + step))) with { Checkpoints = [new CheckpointEvent { Step = 2, Time = Created, Uri = "file:///c", Seconds = 30, StallSeconds = 0.5 }] }, Ct);

        Assert.True(_bed.Progress.Add(1, missed));
        Assert.False(_bed.Progress.Add(1, missed));
        await AssertAsync();

        await _bed.RestartAsync(Ct);
        Assert.False(_bed.Progress.Add(1, missed));
        await AssertAsync();

        async Task AssertAsync()
        {
            var goodput = (await DescribeAsync(10)).Goodput!;
            Assert.Equal(0.75, goodput.LostSeconds!["checkpointStall"]);
            Assert.Equal(10, goodput.ProductiveSeconds + goodput.LostSeconds.Values.Sum());
        }
    }

    [Fact]
    public void Add_MissedInAnotherOrder_IsKnownByItsName()
    {
        var progress = new RunProgress("run");
        var missed = Enumerable.Range(0, 200).Select(i => new MissedCheckpoint { Step = i, Time = Created.AddSeconds(i), Reason = MissedCheckpoint.StorageFailed, Message = "no answer", StallSeconds = 1 }).ToList();

        Assert.All(missed.AsEnumerable().Reverse(), one => Assert.True(progress.Add(1, one)));
        Assert.All(missed, one => Assert.False(progress.Add(1, one)));
        Assert.Equal(200, progress.Attempts[0].Row.MissedStallSeconds);
    }

    [Fact]
    public async Task Describe_SkippedCheckpoint_IsNoneAnyMoreUntilItsStepIsSavedAgain()
    {
        await _bed.AddAsync(Batch(1, []) with { Checkpoints = [Saved(2), Saved(4)] }, Ct);
        var skipped = new SkippedCheckpoint { Step = 4, Time = Created, Message = "shard 1 is cut off" };

        Assert.True(_bed.Progress.Add(2, skipped));
        Assert.False(_bed.Progress.Add(2, skipped with { Message = "as another rank says it" }));

        var status = (await DescribeAsync(10)).Checkpoint!;
        Assert.Equal((2L, 1, 4L, "Damaged", "shard 1 is cut off"), (status.Step, status.Count, status.Skipped!.Step, status.Skipped.Reason, status.Skipped.Message));
        Assert.True(_bed.Progress.Add(Saved(4)));
        Assert.False(_bed.Progress.Add(2, skipped));
        status = (await DescribeAsync(10)).Checkpoint!;
        Assert.Equal((4L, 2, 4L), (status.Step, status.Count, status.Skipped!.Step));
    }

    [Fact]
    public async Task Add_CheckpointThatMayBeKnown_IsCountedByTheStore()
    {
        await _bed.AddAsync(Batch(1, []) with { Checkpoints = [Saved(4)] }, Ct);
        await _bed.AddAsync(Batch(1, []) with { Checkpoints = [Saved(2), Saved(4)] }, Ct);

        var late = await _bed.SettleAsync(Ct);

        Assert.Equal((1, 7L), (late.Checkpoints, late.CheckpointBytes));
        Assert.Equal((4L, 2), ((await DescribeAsync(10)).Checkpoint!.Step, (await DescribeAsync(10)).Checkpoint!.Count));
    }

    [Fact]
    public void Describe_ProblemsOfBeforeTheOperatorsRestart_StayInTheStatus()
    {
        var before = new CheckpointStatus { Missed = new CheckpointProblemStatus { Step = 6, Reason = MissedCheckpoint.StorageFailed, Message = "full" }, Skipped = new CheckpointProblemStatus { Step = 4 } };

        var status = new RunProgress("run").Describe(new TrainingJob { Status = new TrainingJobStatus { Checkpoint = before } }, 100, Created).Checkpoint!;

        Assert.Equal((null, 6L, "full", 4L), (status.Step, status.Missed!.Step, status.Missed.Message, status.Skipped!.Step));
    }

    private async Task<TrainingJobStatus> DescribeAsync(double seconds, TrainingJobStatus? status = null)
    {
        await _bed.SettleAsync(Ct);
        return _bed.Progress.Describe(new TrainingJob { Metadata = new ObjectMeta { CreationTimestamp = Created }, Status = status }, 100, Created.AddSeconds(seconds));
    }

    private static EventBatch Batch(int attempt, IEnumerable<StepEvent> steps) => RunProgressBed.Batch(attempt, steps);

    private static CheckpointEvent Saved(long step) => new() { Step = step, Time = Created, Uri = $"file:///c/{step}", Bytes = 7 };

    private static StepEvent Step(long step, double at) =>
        new() { Rank = 0, Step = step, Time = Created.AddSeconds(at), Metrics = new Dictionary<string, double> { ["step_seconds"] = 1, ["loss"] = 1.0 / step, ["tokens"] = step * 100 } };
}
