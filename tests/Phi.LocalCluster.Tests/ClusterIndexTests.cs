using CsCheck;
using k8s.Models;
using Phi.Kubernetes.Scheduling;
using Phi.LocalCluster.Scheduling;

namespace Phi.LocalCluster.Tests;

/// <summary>The scheduler's picture of the cluster, change by change.</summary>
public sealed class ClusterIndexTests
{
    private readonly ClusterIndex _index = new("default-scheduler");

    [Fact]
    public void Waiting_OfSeveralPriorities_HasTheHighestFirstThenTheOldest()
    {
        var time = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        foreach (var (name, priority, age) in new (string, int?, int)[] { ("young", null, 1), ("old", null, 9), ("high", 1000, 0), ("low", -5, 20) })
        {
            var pod = Named(name);
            (pod.Spec.Priority, pod.Metadata.CreationTimestamp) = (priority, time.AddMinutes(-age));
            _index.Set(null, pod);
        }

        Assert.Equal(["high", "old", "young", "low"], _index.Waiting().Select(waiting => waiting.Pod.Metadata.Name));
    }

    [Fact]
    public void Set_AChangeThatFreesNothing_StartsNoPass()
    {
        var (node, waiting, running) = (NodeFitTests.Node(), Named("waiting"), Named("running"));
        running.Spec.NodeName = "node-0";
        Assert.True(_index.Set(null, node));
        Assert.True(_index.Set(null, waiting));
        Assert.False(_index.Set(null, running));

        Assert.False(_index.Set(waiting, Copy(waiting)), "a status write of a pod that waits");
        Assert.False(_index.Set(running, Copy(running)), "a status write of a pod that runs");
        var heartbeat = NodeFitTests.Node();
        heartbeat.Status.Conditions[0].LastHeartbeatTime = DateTime.UtcNow;
        Assert.False(_index.Set(node, heartbeat), "a heartbeat");
        var tainted = NodeFitTests.Node(taints: [new V1Taint { Key = "gpu", Effect = "NoSchedule" }]);
        Assert.True(_index.Set(heartbeat, tainted));
        var ended = Copy(running);
        ended.Status = new V1PodStatus { Phase = "Succeeded" };
        Assert.True(_index.Set(running, ended));
        Assert.False(_index.Set(ended, null), "its room was free already");
    }

    [Fact]
    public void Set_GatesThatGo_StartsAPass()
    {
        var gated = Named("gated");
        gated.Spec.SchedulingGates = [new V1PodSchedulingGate { Name = "phi-orchestrator.io/gang" }];
        _index.Set(null, gated);
        Assert.True(_index.Waiting()[0].IsGated);

        Assert.True(_index.Set(gated, Copy(gated)));
        Assert.False(_index.Waiting()[0].IsGated);
    }

    [Fact]
    public void Choose_AmongNodesThatFit_TakesTheUntaintedThenTheEmptiest()
    {
        _index.Set(null, NodeFitTests.Node("node-0", [new V1Taint { Key = "spot", Effect = "PreferNoSchedule" }]));
        _index.Set(null, NodeFitTests.Node("node-1"));
        _index.Set(null, NodeFitTests.Node("node-2"));
        var running = Named("running");
        running.Spec.NodeName = "node-1";
        _index.Set(null, running);

        Assert.Equal("node-2", _index.Choose(new WaitingPod(Named("one"))).Node!.Metadata.Name);
    }

    [Fact]
    public void Choose_BeforeTheInformerShowsABoundPod_CountsIt()
    {
        _index.Set(null, NodeFitTests.Node(cpu: "1"));
        var first = Named("first");
        _index.Set(null, first);
        _index.Assume(_index.Waiting()[0], "node-0");

        // What the informer still has of it must not bring it back into the queue.
        _index.Set(first, Copy(first));

        Assert.Empty(_index.Waiting());
        Assert.Equal("Insufficient cpu", Assert.Single(_index.Choose(new WaitingPod(Named("second"))).Reasons));
    }

    /// <summary>Whatever came and went: a pod of the size of what is left fits, a larger one does not.</summary>
    [Fact]
    public void Choose_AfterAnyChanges_KnowsWhatIsLeft() => Gen.Int[0, 9].Array[0, 60].Sample(steps =>
    {
        var index = new ClusterIndex("default-scheduler");
        index.Set(null, NodeFitTests.Node(cpu: "20"));
        var pods = new V1Pod?[10];
        foreach (var step in steps)
        {
            // Each number is a pod: it comes, is bound, ends, goes, and comes again.
            var now = pods[step] switch
            {
                null => Sized(step % 3 + 1),
                { Spec.NodeName: null } pod => Changed(pod, "Pending"),
                { Status.Phase: "Pending" } pod => Changed(pod, "Running"),
                { Status.Phase: "Running" } pod when step % 2 == 0 => Changed(pod, "Failed"),
                _ => null,
            };
            index.Set(pods[step], now);
            pods[step] = now;
        }

        var left = 20 - pods.Where(pod => pod is { Spec.NodeName: not null, Status.Phase: not "Failed" }).Sum(pod => PodRequests.Of(pod!)["cpu"]);
        Assert.NotNull(index.Choose(new WaitingPod(Sized((int)left))).Node);
        Assert.Null(index.Choose(new WaitingPod(Sized((int)left + 1))).Node);
        Assert.Equal(pods.Count(pod => pod is { Spec.NodeName: null }), index.Waiting().Count);
    });

    private static V1Pod Sized(int cpu)
    {
        var pod = NodeFitTests.Pod();
        pod.Spec.Containers = [NodeFitTests.Container("main", cpu)];
        return pod;
    }

    private static V1Pod Changed(V1Pod pod, string phase)
    {
        var copy = Copy(pod);
        (copy.Spec.NodeName, copy.Status) = ("node-0", new V1PodStatus { Phase = phase });
        return copy;
    }

    private static V1Pod Named(string name)
    {
        var pod = NodeFitTests.Pod();
        pod.Metadata.Name = name;
        return pod;
    }

    /// <summary>The same pod as a later event has it, without gates.</summary>
    private static V1Pod Copy(V1Pod pod) => new()
    {
        Metadata = pod.Metadata,
        Spec = new V1PodSpec { Containers = pod.Spec.Containers, NodeName = pod.Spec.NodeName },
        Status = new V1PodStatus { Phase = pod.Status.Phase, Message = "written" },
    };
}
