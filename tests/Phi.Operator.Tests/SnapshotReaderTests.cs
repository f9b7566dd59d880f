using k8s.Models;
using Phi.Api.Metadata;
using Phi.Operator.Observe;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Operator.Tests;

/// <summary>Pods and nodes as an API server has them, read into snapshots.</summary>
public sealed class SnapshotReaderTests
{
    private static readonly DateTime Time = new(2026, 1, 1, 0, 0, 30, DateTimeKind.Utc);

    [Fact]
    public void Read_PodBeingEvicted_HasTheReasonAndTheEndOfItsGrace()
    {
        var pod = PodReader.Read(new V1Pod
        {
            Metadata = new V1ObjectMeta { Name = "job-1", Uid = "uid", DeletionTimestamp = Time, DeletionGracePeriodSeconds = 30 },
            Spec = new V1PodSpec { NodeName = "node-0", Containers = [] },
            Status = new V1PodStatus
            {
                Phase = "Running",
                Conditions = [new V1PodCondition { Type = "DisruptionTarget", Status = "True", Reason = "EvictionByEvictionAPI", Message = "Eviction API: evicting" }],
                ContainerStatuses = [new V1ContainerStatus { Name = PhiNames.TrainerContainer, State = new V1ContainerState { Running = new V1ContainerStateRunning { StartedAt = Time.AddMinutes(-1) } } }],
            },
        });

        Assert.Equal((true, true, "EvictionByEvictionAPI", "Eviction API: evicting"), (pod.IsDeleting, pod.IsDisrupted, pod.DisruptionReason, pod.DisruptionMessage));
        Assert.Equal((new DateTimeOffset(Time), new DateTimeOffset(Time.AddMinutes(-1))), (pod.DeleteBy, pod.RunningSince));
    }

    [Fact]
    public void Health_OfANode_HasConditionAndTaints()
    {
        var node = Node("Unknown", new V1Taint { Key = "node.kubernetes.io/unreachable", Effect = "NoExecute" });
        var health = NodeHealthReader.Read(node);

        Assert.Equal(("Unknown", "gone quiet", false), (health.Ready, health.Message, health.IsCordoned));
        Assert.Equal(new NodeTaint("node.kubernetes.io/unreachable", null, "NoExecute"), Assert.Single(health.Taints));
    }

    [Fact]
    public void Judge_NodeAboutToGo_TakesNoNewPod()
    {
        var good = new NodeSnapshot("node-0", true, "cpu", 4);

        Assert.True(NodeHealthReader.Judge(good with { Health = NodeHealthReader.Read(Node("True", new V1Taint { Key = "kubernetes.azure.com/scalesetpriority", Value = "spot", Effect = "NoSchedule" })) }).IsReady);
        Assert.False(NodeHealthReader.Judge(good with { Health = NodeHealthReader.Read(Node("True", new V1Taint { Key = "cloud.google.com/impending-node-termination", Effect = "NoSchedule" })) }).IsReady);
    }

    [Fact]
    public void IsSame_HeartbeatOfTheNode_IsNoChange()
    {
        var later = Node("True");
        later.Status.Conditions[0].LastHeartbeatTime = Time;

        Assert.True(NodeHealthReader.IsSame(Node("True"), later));
        Assert.False(NodeHealthReader.IsSame(Node("True"), Node("False")));
        Assert.False(NodeHealthReader.IsSame(Node("True"), Node("True", new V1Taint { Key = "x", Effect = "NoSchedule" })));
    }

    private static V1Node Node(string ready, params V1Taint[] taints) => new()
    {
        Metadata = new V1ObjectMeta { Name = "node-0" },
        Spec = new V1NodeSpec { Taints = taints },
        Status = new V1NodeStatus { Conditions = [new V1NodeCondition { Type = "Ready", Status = ready, Message = ready == "True" ? null : "gone quiet" }] },
    };
}
