using System.Collections.Immutable;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests;

/// <summary>Where a gang goes, and what is said when it goes nowhere.</summary>
public sealed class GangPlacementTests
{
    [Fact]
    public void Decide_SeveralHoles_TakesTheTightestThatSuffices() =>
        Assert.Equal(["b", "b"], Places(Waiting(2) with { Nodes = [Node("a", 8), Node("b", 4), Node("c", 6)] }));

    [Fact]
    public void Decide_NoNodeTakesAll_UsesTheFewestNodesInOneRack() =>
        Assert.Equal(["c", "c", "d"], Places(Waiting(3) with { Nodes = [Node("a", 4, rack: "r1"), Node("b", 2), Node("c", 4, rack: "r2"), Node("d", 2, rack: "r2")] }));

    [Fact]
    public void Decide_RequiredRack_TakesTheSmallestThatHoldsAll() =>
        Assert.Equal(["b", "c"], Places(Waiting(2, Require("rack")) with { Nodes = [Node("a", 2, rack: "r1"), Node("b", 2, rack: "r2"), Node("c", 2, rack: "r2"), Node("d", 8, rack: "r3")] }));

    [Fact]
    public void Decide_RequiredRackThatNoneHolds_SaysWhatTheBestLacks()
    {
        var decision = JobReconciler.Decide(Waiting(3, Require("rack")) with { Nodes = [Node("a", 2, rack: "r1"), Node("b", 4, rack: "r2"), Node("c", 4)] });

        Assert.Equal("InsufficientCapacity", decision.Reason);
        Assert.Equal("3 pods of 2 cpu do not fit: 10 are free on 3 nodes (at most 4 on one); all must be in one rack, the best is r2 with room for 2, 1 fewer than needed; 1 node has no label of a rack", decision.Message);
    }

    [Fact]
    public void Decide_PreferredZone_SpreadsOverTheFewest() =>
        Assert.Equal(["a", "b", "b"], Places(Waiting(3, job => job.Spec.Topology = new TopologySpec { Prefer = "zone" }) with { Nodes = [Node("a", 2, zone: "z1"), Node("b", 4, zone: "z2"), Node("c", 2, zone: "z3")] }));

    [Fact]
    public void Decide_NodesThatPodsMayNotUse_AreCountedByReason()
    {
        var snapshot = Waiting(4, job => job.Status!.ExcludedNodes = [new ExcludedNodeStatus { Node = "c", Reason = "ECC", Until = Jobs.Start.AddMinutes(1) }, new ExcludedNodeStatus { Node = "a", Reason = "old", Until = Jobs.Start }]) with
        {
            Nodes = [Node("a", 4), Node("b", 2), Node("c", 8), Node("d", 8) with { Obstacle = "has the taint x" }, Node("e", 8) with { Obstacle = "has the taint x" }, Node("f", 4) with { MostPods = 0, Scarce = "memory" }],
        };

        Assert.Equal("4 pods of 2 cpu do not fit: 10 are free on 3 nodes (at most 4 on one), memory is short on 1 node, 2 nodes have the taint x, 1 node is excluded (c: ECC)", JobReconciler.Decide(snapshot).Message);
    }

    [Fact]
    public void Decide_UnknownType_NamesThoseThatExist()
    {
        var snapshot = Waiting(2, job => job.Spec.Accelerator!.Type = "nvidia-h100") with { Nodes = [], AcceleratorTypes = ["cpu", "nvidia-a100-80gb"] };

        Assert.Equal("no node has accelerators of type nvidia-h100; the cluster has cpu, nvidia-a100-80gb", JobReconciler.Decide(snapshot).Message);
    }

    [Fact]
    public void Decide_MissingPodFitsInTheOthersRack_GoesThere()
    {
        var snapshot = Waiting(2, Require("rack")).With(0, pod => pod with { IsGated = false, Node = "a", Phase = "Running" }) with { Nodes = [Node("a", 0, rack: "r1"), Node("b", 4, rack: "r1"), Node("c", 2, rack: "r2")] };

        Assert.Equal(["b"], Places(snapshot));
    }

    [Fact]
    public void Decide_NoRoomInTheOthersRack_MovesTheWholeGang()
    {
        var snapshot = Waiting(2, Require("rack")).With(0, pod => pod with { IsGated = false, Node = "a", Phase = "Running" }) with { Nodes = [Node("a", 0, rack: "r1"), Node("b", 4, rack: "r2")] };

        var decision = JobReconciler.Decide(snapshot);

        Assert.Equal(("Moving", "job-0"), (decision.Reason, Assert.Single(decision.Of<JobAction.DeletePod>()).Name));
        Assert.Equal("1 pod of 2 must move with the others: their rack has no room, b in rack r2 has", decision.Message);
    }

    [Fact]
    public void Decide_OlderGangWaits_ItsRoomIsKeptForIt()
    {
        // The older one needs both nodes; b will be free soon. A small one may use what is beyond them.
        ImmutableArray<NodeSnapshot> nodes = [Node("a", 4), Node("b", 0) with { Capacity = 2 }];
        var large = Waiting(4, job => (job.Metadata.Name, job.Metadata.Namespace) = ("large", "team")) with { Nodes = nodes };
        var small = Waiting(1) with { Nodes = nodes, Ahead = large };

        var decision = JobReconciler.Decide(small);

        Assert.Empty(decision.Actions);
        Assert.Equal("1 pod of 2 cpu does not fit: 4 are free on 1 node, 4 of them are kept for team/large (4 pods of 2), which is before this job in line", decision.Message);
        Assert.Equal(["c"], Places(small with { Nodes = [.. nodes, Node("c", 2) with { Obstacle = null }], Ahead = large with { Nodes = [.. nodes, Node("c", 2) with { Obstacle = "has the taint x" }] } }));
    }

    [Fact]
    public void Decide_GangAheadThatCouldNeverFit_KeepsNothing()
    {
        var nodes = ImmutableArray.Create(Node("a", 4));

        Assert.Null(Phi.Reconcile.Policies.Reservation.Head([Waiting(3) with { Nodes = nodes }]));
        Assert.Equal(["a"], Places(Waiting(1) with { Nodes = nodes, Ahead = Waiting(3) with { Nodes = nodes } }));
    }

    [Fact]
    public void Decide_PinWrittenBeforeARestartOfTheOperator_IsMadeGood()
    {
        var snapshot = Waiting(2).With(0, pod => pod with { Pin = "b" }) with { Nodes = [Node("a", 2), Node("b", 0)] };

        Assert.Equal(["b", "a"], Places(snapshot));
    }

    [Fact]
    public void Decide_PinnedNodeIsGone_TheGangIsWithdrawn()
    {
        var starting = Waiting(2, job => job.Status!.Phase = TrainingPhase.Starting).With(0, pod => pod with { Pin = "b" }) with { Nodes = [Node("a", 8)] };

        var decision = JobReconciler.Decide(starting);

        Assert.Equal(("WithdrawnNoRoom", 2, TrainingPhase.Pending), (decision.Reason, decision.Of<JobAction.DeletePod>().Length, decision.Status!.Phase));
    }

    [Fact]
    public void Decide_PodNotBoundInTime_WithdrawsTheGangAndLeavesTheNodeOut()
    {
        var placed = JobReconciler.Decide(Waiting(2) with { Nodes = [Node("a", 2), Node("b", 2)] });
        var snapshot = (Waiting(2) with { Nodes = [Node("a", 2), Node("b", 2)] }).After(placed).With(1, pod => pod with { Phase = "Pending", Node = null, Pin = "b", NotScheduled = "0/2 nodes are available: 1 Insufficient memory." });

        var early = JobReconciler.Decide(snapshot with { Now = Jobs.Start.AddSeconds(59) });
        var late = JobReconciler.Decide(snapshot with { Now = Jobs.Start.AddSeconds(60) });

        Assert.Equal(("Starting", TimeSpan.FromSeconds(1)), (early.Reason, early.RequeueAfter));
        Assert.Equal("WithdrawnNotBound", late.Reason);
        Assert.Equal("the gang is withdrawn: pod job-1 was not bound to b within 60 s (0/2 nodes are available: 1 Insufficient memory); b is left out for a while; it is placed anew at attempt 1 after 10 s, from 2026-01-01T00:01:10Z on, no restart is charged", late.Message);
        Assert.Equal((2, 1, 0), (late.Of<JobAction.DeletePod>().Length, late.Status!.Attempt, late.Status.Restarts + late.Status.FreeRestarts));
        var excluded = Assert.Single(late.Status.ExcludedNodes!);
        Assert.Equal(("b", TimeSpan.FromMinutes(1)), (excluded.Node, excluded.Until - excluded.Since));
    }

    [Fact]
    public void Exclusion_AgainAfterItsEnd_LastsTwiceAsLong()
    {
        var snapshot = Waiting(1) with { Now = Jobs.Start.AddMinutes(5) };
        snapshot.Job.Status!.ExcludedNodes = [new ExcludedNodeStatus { Node = "b", Reason = "NotBound", Since = Jobs.Start, Until = Jobs.Start.AddMinutes(1) }, new ExcludedNodeStatus { Node = "c", Reason = "ECC" }];
        var again = NodeExclusion.Escalate(snapshot, snapshot.Status.ExcludedNodes, "b", "NotBound");
        var list = NodeExclusion.Update(snapshot, [again, NodeExclusion.Escalate(snapshot, snapshot.Status.ExcludedNodes, "c", "NotBound")])!;

        Assert.Equal(TimeSpan.FromMinutes(2), list.Single(entry => entry.Node == "b").Until - snapshot.Now);
        Assert.Null(list.Single(entry => entry.Node == "c").Until);
        Assert.Equal(TimeSpan.FromMinutes(4), NodeExclusion.Escalate(snapshot, list, "b", "NotBound").Until - snapshot.Now);
    }

    [Fact]
    public void Exclusion_NoticeOfANodeThatIsLeftOut_StaysUntilItIsOver()
    {
        var snapshot = Waiting(1);
        snapshot.Job.Status!.ExcludedNodes = [new ExcludedNodeStatus { Node = "b", Reason = "DisruptionNotice", Since = Jobs.Start, Until = Jobs.Start.AddMinutes(10) }];

        var both = NodeExclusion.Update(snapshot, [NodeExclusion.Escalate(snapshot, [], "b", "NotBound")])!;

        Assert.Equal("DisruptionNotice", Assert.Single(both).Reason);
        Assert.Equal("NotBound", Assert.Single(NodeExclusion.Update(snapshot with { Now = Jobs.Start.AddMinutes(11) }, [NodeExclusion.Escalate(snapshot with { Now = Jobs.Start.AddMinutes(11) }, [], "b", "NotBound")])!).Reason);
        Assert.Null(NodeExclusion.Update(snapshot with { Now = Jobs.Start.AddMinutes(11) }, []));
    }

    [Fact]
    public void Decide_RefusedPin_WithdrawsWithoutLeavingANodeOut()
    {
        var starting = Waiting(2, job => job.Status!.Phase = TrainingPhase.Starting) with { Refusal = new PlacementRefusal("job-1", "node-0", "pods \"job-1\" not found") };

        var decision = JobReconciler.Decide(starting);

        Assert.Equal(("WithdrawnRefused", 2), (decision.Reason, decision.Of<JobAction.DeletePod>().Length));
        Assert.Null(decision.Status!.ExcludedNodes);
    }

    [Fact]
    public void Decide_HoldsAPartWhileAnotherIsAhead_GivesItUpInTheEnd()
    {
        ImmutableArray<NodeSnapshot> nodes = [Node("a", 0) with { Capacity = 1 }];
        var snapshot = Waiting(2, job => job.Status!.Conditions = [new Phi.Api.Metadata.Condition { Type = TrainingConditions.Placed, Status = "False", LastTransitionTime = Jobs.Start }])
            .With(0, pod => pod with { IsGated = false, Node = "a", Phase = "Running" }) with { Nodes = nodes, Ahead = Waiting(1) with { Nodes = nodes } };

        Assert.Equal("InsufficientCapacity", JobReconciler.Decide(snapshot with { Now = Jobs.Start.AddSeconds(59) }).Reason);
        var decision = JobReconciler.Decide(snapshot with { Now = Jobs.Start.AddSeconds(60) });
        Assert.Equal(("Yielding", "job-0"), (decision.Reason, Assert.Single(decision.Of<JobAction.DeletePod>()).Name));
    }

    private static Action<TrainingJob> Require(string level) => job => job.Spec.Topology = new TopologySpec { Require = level };

    internal static NodeSnapshot Node(string name, int free, string? rack = null, string? zone = null) => new(name, true, "cpu", free) { Rack = rack, Zone = zone };

    /// <summary>A whole gang of gated pods with two ranks each, at attempt 1.</summary>
    internal static JobSnapshot Waiting(int replicas, Action<TrainingJob>? change = null) => Jobs.New(job =>
    {
        job.Spec.Replicas = replicas;
        job.Status = new TrainingJobStatus { Phase = TrainingPhase.Pending, Attempt = 1 };
        change?.Invoke(job);
    }) with
    {
        Pods = [.. Enumerable.Range(0, replicas).Select(index => Jobs.Pod(index, "Pending") with { IsGated = true, Node = null, Attempt = 1, GangSize = replicas })],
    };

    private static IEnumerable<string> Places(JobSnapshot snapshot)
    {
        var decision = JobReconciler.Decide(snapshot);
        return Assert.Single(decision.Of<JobAction.PlaceGang>()).Placements.Select(placement => placement.Node);
    }
}
