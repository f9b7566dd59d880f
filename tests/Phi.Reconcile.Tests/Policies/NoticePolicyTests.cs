using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests.Policies;

public sealed class NoticePolicyTests
{
    [Fact]
    public void Decide_SpotNotice_AsksThePodToLeaveAndKeepsAwayFromTheNode()
    {
        var noticed = Noticed("Preempt");
        var decision = JobReconciler.Decide(noticed);

        Assert.Equal(("DisruptionNotice", (int?)1), (decision.Reason, decision.Status!.Attempt));
        Assert.Equal("node node-1 is about to go (azure announces Preempt not before 2026-01-01T00:00:30Z): 1 pod (job-1) asked to save and leave", decision.Message);
        Assert.Null(Assert.Single(decision.Of<JobAction.DeletePod>()).GracePeriodSeconds);
        Assert.Equal(("node-1", Jobs.Start.AddSeconds(630)), (Assert.Single(decision.Status.ExcludedNodes!).Node, decision.Status.ExcludedNodes![0].Until));
    }

    [Fact]
    public void Decide_PodLeftAfterANotice_GoesOnForFreeAndSaysWhy()
    {
        var asked = Noticed("Preempt");
        asked = asked.After(JobReconciler.Decide(asked)) with { Pods = [Jobs.Pod(0)] };

        var decision = JobReconciler.Decide(asked);

        Assert.Equal(("DisruptionNotice", 2, 0), (decision.Reason, decision.Status!.Attempt, decision.Status.Restarts));
        Assert.Single(decision.Status.ExcludedNodes!);
    }

    [Fact]
    public void Decide_Freeze_LeavesThePodsAlone() => Assert.Empty(JobReconciler.Decide(Noticed("Freeze")).Actions);

    [Fact]
    public void Decide_NodeTaintedAsGoing_AsksItsPodsToLeaveUntilTheTaintIsGone()
    {
        var going = Spread() with { Nodes = [Jobs.Node(0), Jobs.Node(1, "True", new NodeTaint("ToBeDeletedByClusterAutoscaler", "1", "NoSchedule"))] };
        var decision = JobReconciler.Decide(going);

        Assert.Equal(("NodeGoing", "job-1"), (decision.Reason, Assert.Single(decision.Of<JobAction.DeletePod>()).Name));
        Assert.Equal("node-1", Assert.Single(decision.Status!.ExcludedNodes!).Node);
        Assert.Null(JobReconciler.Decide(going.After(decision) with { Nodes = [Jobs.Node(0), Jobs.Node(1)], Pods = Spread().Pods }).Status!.ExcludedNodes);
    }

    [Fact]
    public void Decide_NoticeWhoseTimeIsOver_IsForgotten()
    {
        var noticed = Noticed("Preempt");
        var after = noticed.After(JobReconciler.Decide(noticed)) with { Pods = Spread().Pods, Agents = Spread().Agents };

        Assert.Single(JobReconciler.Decide(after.HeardAt(629)).Status!.ExcludedNodes!);
        Assert.Null(JobReconciler.Decide(after.HeardAt(630)).Status!.ExcludedNodes);
    }

    private static JobSnapshot Spread() => Jobs.Running().With(1, pod => pod with { Node = "node-1" });

    private static JobSnapshot Noticed(string kind) => Spread().WithAgents(Jobs.Agent(0), Jobs.Agent(1) with { Notice = new DisruptionNotice("azure", kind, Jobs.Start.AddSeconds(30)) });
}
