using System.Collections.Immutable;
using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests.Policies;

public sealed class StragglerPolicyTests
{
    [Fact]
    public void Count_SlowSteps_AddUpAndStartAgainAfterAFastOne()
    {
        ImmutableDictionary<int, long> Beat(ref AgentSnapshot? agent, long step, double seconds)
        {
            RankHeartbeat[] ranks = [new RankHeartbeat { Rank = 3, State = RankState.Training, Step = step, BusySecondsPerStep = seconds }];
            var counts = StragglerPolicy.Count(agent, ranks, 1, 2);
            agent = new AgentSnapshot("pod-0", 1, false, [.. ranks], null, Jobs.Start, Jobs.Start) { SlowSteps = counts };
            return counts;
        }

        AgentSnapshot? agent = null;
        Assert.Equal(0, Beat(ref agent, 10, 2.5)[3]);
        Assert.Equal(5, Beat(ref agent, 15, 2.5)[3]);
        Assert.Equal(9, Beat(ref agent, 19, 2.1)[3]);
        Assert.Empty(Beat(ref agent, 20, 2));
        Assert.Equal(3, Beat(ref agent, 23, 2.1)[3]);
    }

    [Theory]
    [InlineData(new[] { 3.0, 1.0 }, 1.0)]
    [InlineData(new[] { 3.0, 1.0, 2.0 }, 2.0)]
    [InlineData(new[] { double.NaN, 5.0 }, 5.0)]
    public void Median_OfAGang_IsTheLowerOne(double[] seconds, double median) => Assert.Equal(median, StragglerPolicy.Median(seconds.Select(value => (double?)value)));

    [Fact]
    public void Decide_Straggler_IsReportedAndTheAttemptGoesOn()
    {
        var decision = JobReconciler.Decide(Slow("Report", 20));

        Assert.Equal(("Straggler", (int?)1, true), (decision.Reason, decision.Status!.Attempt, decision.IsWarning));
        Assert.Equal("rank 3 on node-1 takes 2.5 s per step; the gang's median is 1 s: more than 2 times as long for at least 20 steps", decision.Message);
        Assert.Equal(decision.Message, Condition(decision).Message);
        Assert.Null(Record.Exception(() => Assert.Equal("Training", JobReconciler.Decide(Slow("Report", 19)).Reason)));
    }

    /// <summary>Times change with every step; a status that changed as often would be written as often.</summary>
    [Fact]
    public void Decide_SameStragglerWithOtherTimes_SaysTheSame()
    {
        var first = Slow("Report", 20);
        var told = first.After(JobReconciler.Decide(first));
        var later = told with { Agents = [told.Agents[0], told.Agents[1] with { Ranks = [.. told.Agents[1].Ranks.Select(rank => rank with { BusySecondsPerStep = rank.BusySecondsPerStep * 1.1 })] }] };

        Assert.Equal(Condition(JobReconciler.Decide(first)).Message, Condition(JobReconciler.Decide(later)).Message);
        Assert.Equal("False", Condition(JobReconciler.Decide(told with { Agents = Slow("Report", 0).Agents })).Status);
    }

    [Fact]
    public void Decide_StragglerToBeExcluded_GoesOnForFreeWithoutItsNode()
    {
        var decision = JobReconciler.Decide(Slow("ExcludeNode", 20));

        Assert.Equal(("Straggler", 2, 0), (decision.Reason, decision.Status!.Attempt, decision.Status.Restarts));
        Assert.Equal(("node-1", "Straggler"), (Assert.Single(decision.Status.ExcludedNodes!).Node, decision.Status.ExcludedNodes![0].Reason));
        Assert.Equal("job-1", Assert.Single(decision.Of<JobAction.DeletePod>()).Name);
    }

    [Fact]
    public void Decide_StragglerWithNoRoomElsewhere_IsOnlyReported()
    {
        var full = Slow("ExcludeNode", 20) with { Nodes = [Jobs.Node(0) with { Free = 1 }, Jobs.Node(1)] };

        Assert.Equal(("Straggler", (int?)1), (JobReconciler.Decide(full).Reason, JobReconciler.Decide(full).Status!.Attempt));
    }

    private static Phi.Api.Metadata.Condition Condition(JobDecision decision) => decision.Status!.Conditions!.Find(condition => condition.Type == TrainingConditions.Straggler)!;

    private static JobSnapshot Slow(string action, long steps) => Jobs.Running(job => job.Spec.Recovery = new RecoverySpec { Stragglers = new StragglerSpec { Action = action } })
        .WithAgents(Jobs.Training(0, 50, Busy), Jobs.Training(1, 50, Busy) with { SlowSteps = ImmutableDictionary<int, long>.Empty.Add(3, steps) })
        .With(1, pod => pod with { Node = "node-1" });

    private static RankHeartbeat Busy(RankHeartbeat rank) => rank with { BusySecondsPerStep = rank.Rank == 3 ? 2.5 : 1 };
}
