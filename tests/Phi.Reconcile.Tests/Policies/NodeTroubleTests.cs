using System.Text.Json.Nodes;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests.Policies;

public sealed class NodeTroubleTests
{
    [Theory]
    [InlineData("node.kubernetes.io/unreachable", "NoExecute", true, "NodeUnreachable")]
    [InlineData("node.kubernetes.io/not-ready", "NoSchedule", true, "NodeNotReady")]
    [InlineData("node.kubernetes.io/out-of-service", "NoExecute", true, "NodeOutOfService")]
    [InlineData("ToBeDeletedByClusterAutoscaler", "NoSchedule", false, "NodeGoing")]
    [InlineData("aws-node-termination-handler/spot-itn", "NoSchedule", false, "NodeGoing")]
    [InlineData("cloud.google.com/impending-node-termination", "NoSchedule", false, "NodeGoing")]
    [InlineData("maintenance", "NoExecute", false, "NodeTainted")]
    public void Of_TaintThatMovesPods_SaysSo(string key, string effect, bool isDown, string reason)
    {
        var trouble = NodeTrouble.Of(Jobs.Node(0, "True", new NodeTaint(key, null, effect)), null)!;

        Assert.Equal((isDown, reason), (trouble.IsDown, trouble.Reason));
        Assert.Contains(key, trouble.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kubernetes.azure.com/scalesetpriority", "NoSchedule")]
    [InlineData("node.kubernetes.io/unschedulable", "NoSchedule")]
    [InlineData("nvidia.com/gpu", "NoSchedule")]
    public void Of_TaintThatOnlyDescribes_IsNone(string key, string effect) => Assert.Null(NodeTrouble.Of(Jobs.Node(0, "True", new NodeTaint(key, "spot", effect)), null));

    [Theory]
    [InlineData("""[{"key":"team","operator":"Equal","value":"a","effect":"NoExecute"}]""", true)]
    [InlineData("""[{"key":"team","operator":"Exists"}]""", true)]
    [InlineData("""[{"operator":"Exists"}]""", true)]
    [InlineData("""[{"key":"team","value":"b"}]""", false)]
    [InlineData("""[{"key":"team","operator":"Exists","effect":"NoSchedule"}]""", false)]
    public void Of_NoExecute_CountsUnlessTolerated(string tolerations, bool isTolerated) =>
        Assert.Equal(isTolerated, NodeTrouble.Of(Jobs.Node(0, "True", new NodeTaint("team", "a", "NoExecute")), JsonNode.Parse(tolerations)!.AsArray()) is null);
}
