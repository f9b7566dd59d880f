using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests.Policies;

public sealed class DisruptionPolicyTests
{
    [Theory]
    [InlineData("EvictionByEvictionAPI", "evicted through the API")]
    [InlineData("DeletionByTaintManager", "taint")]
    [InlineData("PreemptionByScheduler", "higher priority")]
    [InlineData("TerminationByKubelet", "ended by its node")]
    [InlineData("DeletionByPodGC", "node is gone")]
    public void Find_PodFailedByADisruption_IsFreeAndSaysWhich(string reason, string words)
    {
        var failure = FailurePolicy.Find(Jobs.Running().With(1, pod => pod with { Phase = "Failed", IsDisrupted = true, DisruptionReason = reason, DisruptionMessage = "told so.", ExitCode = 137 }))!;

        Assert.Equal((false, false, reason), (failure.IsCharged, failure.IsFatal, failure.Reason));
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
        Assert.EndsWith(": told so", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_DisruptedPodWhoseRankWasKilled_IsNotTheRanksFault()
    {
        var failed = Jobs.Running().With(1, pod => pod with { Phase = "Failed", IsDisrupted = true, DisruptionReason = "TerminationByKubelet" })
            .WithAgents(Jobs.Agent(0, RankState.Failed, RankExitCodes.PeerLost), Jobs.Agent(1, RankState.Failed, 137));

        Assert.Equal("TerminationByKubelet", FailurePolicy.Find(failed)!.Reason);
    }

    [Fact]
    public void Find_PodRefusedByItsNode_IsFree()
    {
        var failure = FailurePolicy.Find(Jobs.Running().With(0, pod => pod with { Phase = "Failed", Reason = "OutOfnvidia.com/gpu", Message = "Node didn't have enough resource" }))!;

        Assert.Equal((false, "PodRefused"), (failure.IsCharged, failure.Reason));
    }

    [Fact]
    public void Find_PodEvictedForItsOwnUse_IsCharged()
    {
        var failure = FailurePolicy.Find(Jobs.Running().With(0, pod => pod with { Phase = "Failed", Reason = "Evicted", Message = "Pod ephemeral local storage usage exceeds the total limit" }))!;

        Assert.Equal((true, "Evicted"), (failure.IsCharged, failure.Reason));
    }

    [Fact]
    public void Find_PodGoneFromANodeBeingDrained_SaysWhereItWas()
    {
        var gone = Jobs.Running(job => job.Status!.Placement = [new PlacementStatus { Pod = "job-0", Node = "node-0" }, new PlacementStatus { Pod = "job-1", Node = "node-1" }]) with
        {
            Pods = [Jobs.Pod(0)],
            Nodes = [Jobs.Node(0), Jobs.Node(1) with { Health = new NodeHealth("True", null, true, []) }],
        };

        var failure = FailurePolicy.Find(gone)!;

        Assert.Equal(("NodeDrained", "the pod of replica 1 (job-1 on node-1) is gone: its node is being drained"), (failure.Reason, failure.Message));
    }

    [Fact]
    public void Find_NodeDownAndItsAgentUnheard_IsLostWithoutWaitingForTheTimeout()
    {
        var down = Jobs.Running().HeardAt(4) with { Nodes = [Jobs.Node(0, "Unknown"), Jobs.Node(1)] };
        var unheard = down with { Agents = [.. down.Agents.Select(agent => agent with { LastSeen = Jobs.Start })] };

        Assert.Null(FailurePolicy.Find(down));
        var failure = FailurePolicy.Find(unheard)!;
        Assert.Equal((false, "NodeUnreachable"), (failure.IsCharged, failure.Reason));
        Assert.Equal("pod job-0 is lost: node node-0 is not ready (Ready is Unknown: Kubelet stopped posting node status), and its agent has been silent for 4 s", failure.Message);
    }

    [Fact]
    public void Find_CordonedNode_ChangesNothing()
    {
        var cordoned = Jobs.Running() with { Nodes = [Jobs.Node(0) with { Health = new NodeHealth("True", null, true, [new NodeTaint("node.kubernetes.io/unschedulable", null, "NoSchedule")]) }] };

        Assert.Null(FailurePolicy.Find(cordoned));
    }
}
