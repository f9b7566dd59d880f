using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests.Policies;

public sealed class InterruptionPolicyTests
{
    [Theory]
    [InlineData(134, 120L, "from the checkpoint of step 120: steps 121 to 134 (14) are done again", 14)]
    [InlineData(121, 120L, "from the checkpoint of step 120: step 121 is done again", 1)]
    [InlineData(120, 120L, "from the checkpoint of step 120: no step is lost", 0)]
    [InlineData(0, 120L, "from the checkpoint of step 120: no step is lost", 0)]
    [InlineData(34, null, "from the beginning: steps 1 to 34 (34) are done again", 34)]
    public void Decide_AttemptEnds_SaysExactlyWhatIsLost(long step, long? checkpoint, string words, long lost)
    {
        var decision = JobReconciler.Decide(Failed(step, checkpoint));

        Assert.EndsWith($"attempt 2 (charged) goes on {words}", decision.Message, StringComparison.Ordinal);
        Assert.Equal(decision.Message, decision.Status!.Conditions!.Find(condition => condition.Type == TrainingConditions.Requeued)!.Message);
        Assert.Equal((1, "RankFailed", (bool?)true, lost, checkpoint), (decision.Last().Attempt, decision.Last().Reason, decision.Last().Charged, decision.Last().LostSteps, decision.Last().ResumeStep));
    }

    [Fact]
    public void Decide_AttemptEndsThatKeptCopies_SaysThatLessMayBeLost() =>
        Assert.EndsWith(
            "attempt 2 (charged) goes on from the copies in memory, or from the checkpoint of step 120: steps 121 to 134 (14) are done again",
            JobReconciler.Decide(Failed(134, 120, job => job.Spec.Checkpoint = new CheckpointSpec { InMemory = new InMemorySpec() })).Message,
            StringComparison.Ordinal);

    /// <summary>From copies that are newer than the checkpoint, or than the last heartbeat; or from an older checkpoint where the newest was damaged.</summary>
    [Theory]
    [InlineData(135, 135, 0)]
    [InlineData(130, 134, 4)]
    [InlineData(120, 134, 14)]
    [InlineData(100, 134, 34)]
    public void Decide_NextAttemptTrains_CorrectsFromWhereItWentOnAndWhatWasLost(long from, long step, long lost)
    {
        var before = new InterruptionStatus { Attempt = 1, Reason = "RankFailed", Step = 134, ResumeStep = 120, LostSteps = 14, Ranks = [new RankReportStatus { Rank = 0 }] };
        var running = Jobs.Running(job => (job.Status!.Attempt, job.Status.Interruptions) = (2, [before]))
            .WithAgents(Jobs.Training(0, from + 3, rank => rank with { FromStep = from }) with { Attempt = 2 }, Jobs.Training(1, from + 3, rank => rank with { FromStep = from }) with { Attempt = 2 });

        var corrected = JobReconciler.Decide(running).Last();

        Assert.Equal((1, "RankFailed", step, from, lost, 1), (corrected.Attempt!.Value, corrected.Reason, corrected.Step!.Value, corrected.ResumeStep!.Value, corrected.LostSteps!.Value, corrected.Ranks!.Count));
    }

    [Fact]
    public void Decide_AttemptEnds_ReportsEveryRank()
    {
        var ranks = JobReconciler.Decide(Failed(134, 120)).Last().Ranks!;

        Assert.Equal([0, 1, 2, 3], ranks.Select(rank => rank.Rank!.Value));
        Assert.Equal(("Failed", "node-0", (int?)1, (long?)134), (ranks[2].State, ranks[2].Node, ranks[2].ExitCode, ranks[2].Step));
    }

    [Fact]
    public void Decide_ManyInterruptions_KeepsTheNewest20AndTheRanksOfFive()
    {
        var full = Failed(134, 120, job => job.Status!.Interruptions =
            [.. Enumerable.Range(0, 20).Select(attempt => new InterruptionStatus { Attempt = attempt, Ranks = [new RankReportStatus { Rank = 0 }] })]);

        var kept = JobReconciler.Decide(full).Status!.Interruptions!;

        Assert.Equal((20, 1, 5), (kept.Count, kept[0].Attempt, kept.Count(interruption => interruption.Ranks is not null)));
    }

    [Fact]
    public void Decide_JobFails_RecordsTheInterruptionThatDidIt()
    {
        var decision = JobReconciler.Decide(Failed(134, 120, job => job.Status!.ChargedRestartTimes = [Jobs.Start, Jobs.Start, Jobs.Start]));

        Assert.Equal((TrainingPhase.Failed, "MaxRestartsExceeded", "RankFailed"), (decision.Status!.Phase, decision.Reason, decision.Last().Reason));
        Assert.Single(decision.Status.Interruptions!);
    }

    [Fact]
    public void Decide_OperatorHasHeardNoRankYet_FallsBackOnTheProgressThatIsKnown()
    {
        var unheard = Failed(134, 120, job => job.Status!.Progress = new ProgressStatus { Step = 133 }) with { Agents = [] };

        Assert.Equal(13, JobReconciler.Decide(unheard.With(1, pod => pod with { Phase = "Failed", ExitCode = 1 })).Last().LostSteps);
    }

    private static JobSnapshot Failed(long step, long? checkpoint, Action<TrainingJob>? change = null) => Jobs.Running(job =>
    {
        job.Status!.Checkpoint = checkpoint is null ? null : new CheckpointStatus { Step = checkpoint };
        change?.Invoke(job);
    }).WithAgents(Jobs.Training(0, step), Jobs.Training(1, step, rank => rank.Rank == 2 ? rank with { State = RankState.Failed, ExitCode = 1 } : rank));
}
