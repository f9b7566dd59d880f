using k8s.Models;
using Phi.Kubernetes.Scheduling;
using Phi.LocalCluster.Scheduling;

namespace Phi.LocalCluster.Tests;

/// <summary>The scheduler's filters, case by case as kube-scheduler decides them.</summary>
public sealed class NodeFitTests
{
    private const string NoMatch = "node(s) didn't match Pod's node affinity/selector";

    [Theory]
    [InlineData("NoSchedule", null, null, null, null, false)]
    [InlineData("NoExecute", null, null, null, null, false)]
    [InlineData("PreferNoSchedule", null, null, null, null, true)]
    [InlineData("NoSchedule", "gpu", "Exists", null, null, true)]
    [InlineData("NoSchedule", "gpu", "Exists", null, "NoSchedule", true)]
    [InlineData("NoSchedule", "gpu", "Exists", null, "NoExecute", false)]
    [InlineData("NoExecute", "gpu", "Exists", null, "NoExecute", true)]
    [InlineData("NoSchedule", "gpu", "Equal", "spot", null, true)]
    [InlineData("NoSchedule", "gpu", null, "spot", null, true)]
    [InlineData("NoSchedule", "gpu", "Equal", "other", null, false)]
    [InlineData("NoSchedule", "other", "Exists", null, null, false)]
    [InlineData("NoSchedule", null, "Exists", null, null, true)]
    public void WhyNot_ATaintedNode_IsDecidedByEffectKeyAndValue(string effect, string? key, string? @operator, string? value, string? toleratedEffect, bool fits)
    {
        var node = Node(taints: [new V1Taint { Key = "gpu", Value = "spot", Effect = effect }]);
        var pod = Pod();
        pod.Spec.Tolerations = key is null && @operator is null ? null : [new V1Toleration { Key = key, OperatorProperty = @operator, Value = value, Effect = toleratedEffect }];

        Assert.Equal(fits ? null : "node(s) had untolerated taint {gpu: spot}", WhyNot(pod, node));
    }

    [Fact]
    public void WhyNot_ACordonedNode_TakesOnlyPodsThatTolerateACordon()
    {
        var node = Node();
        node.Spec.Unschedulable = true;
        var daemon = Pod();
        daemon.Spec.Tolerations = [new V1Toleration { Key = "node.kubernetes.io/unschedulable", OperatorProperty = "Exists", Effect = "NoSchedule" }];

        Assert.Equal("node(s) were unschedulable", WhyNot(Pod(), node));
        Assert.Null(WhyNot(daemon, node));
    }

    [Theory]
    [InlineData("rack", "In", "a,b", true)]
    [InlineData("rack", "In", "b", false)]
    [InlineData("rack", "NotIn", "b", true)]
    [InlineData("rack", "NotIn", "a", false)]
    [InlineData("missing", "NotIn", "a", true)]
    [InlineData("rack", "Exists", null, true)]
    [InlineData("missing", "Exists", null, false)]
    [InlineData("missing", "DoesNotExist", null, true)]
    [InlineData("slot", "Gt", "6", true)]
    [InlineData("slot", "Gt", "7", false)]
    [InlineData("slot", "Lt", "8", true)]
    [InlineData("slot", "Lt", "7", false)]
    [InlineData("missing", "Lt", "7", false)]
    [InlineData("rack", "Gt", "7", false)]
    [InlineData("slot", "Gt", "many", false)]
    public void WhyNot_RequiredAffinity_IsDecidedByTheOperator(string key, string @operator, string? values, bool fits) =>
        Assert.Equal(fits ? null : NoMatch, WhyNot(Pod(new V1NodeSelectorTerm { MatchExpressions = [new V1NodeSelectorRequirement { Key = key, OperatorProperty = @operator, Values = values?.Split(',') }] }), Node()));

    [Theory]
    [InlineData("metadata.name", "In", "node-0", true)]
    [InlineData("metadata.name", "In", "node-1", false)]
    [InlineData("metadata.name", "NotIn", "node-1", true)]
    [InlineData("metadata.uid", "NotIn", "node-1", false)]
    public void WhyNot_MatchFields_KnowTheNamesOfNodes(string key, string @operator, string value, bool fits) =>
        Assert.Equal(fits ? null : NoMatch, WhyNot(Pod(new V1NodeSelectorTerm { MatchFields = [new V1NodeSelectorRequirement { Key = key, OperatorProperty = @operator, Values = [value] }] }), Node()));

    [Fact]
    public void WhyNot_ATermWithoutRequirements_MatchesNoNode() => Assert.Equal(NoMatch, WhyNot(Pod(new V1NodeSelectorTerm()), Node()));

    [Fact]
    public void Of_APodWithInitContainers_IsTheLargestThatRunsTogether()
    {
        var pod = Pod();
        pod.Spec.Containers = [Container("main", 2)];
        pod.Spec.InitContainers = [Container("big", 5), Container("sidecar", 1, "Always"), Container("small", 3)];

        Assert.Equal(5, PodRequests.Of(pod)["cpu"]);
        pod.Spec.InitContainers = [Container("sidecar", 1, "Always"), Container("big", 5)];
        Assert.Equal(6, PodRequests.Of(pod)["cpu"]);
        pod.Spec.InitContainers = [Container("sidecar", 1, "Always")];
        Assert.Equal(3, PodRequests.Of(pod)["cpu"]);
    }

    private static string? WhyNot(V1Pod pod, V1Node node) => NodeFit.WhyNot(pod, PodRequests.Of(pod), node, NodeUsage.None.Sum);

    internal static V1Node Node(string name = "node-0", IList<V1Taint>? taints = null, string cpu = "4") => new()
    {
        Metadata = new V1ObjectMeta { Name = name, Labels = new Dictionary<string, string> { ["rack"] = "a", ["slot"] = "7" } },
        Spec = new V1NodeSpec { Taints = taints },
        Status = new V1NodeStatus
        {
            Conditions = [new V1NodeCondition { Type = "Ready", Status = "True" }],
            Allocatable = new Dictionary<string, ResourceQuantity> { ["cpu"] = new(cpu), ["pods"] = new("110") },
        },
    };

    internal static V1Pod Pod(params V1NodeSelectorTerm[] terms) => new()
    {
        Metadata = new V1ObjectMeta { Name = "pod", NamespaceProperty = "default", Uid = Guid.NewGuid().ToString() },
        Spec = new V1PodSpec
        {
            Containers = [Container("main", 1)],
            Affinity = terms.Length == 0 ? null : new V1Affinity { NodeAffinity = new V1NodeAffinity { RequiredDuringSchedulingIgnoredDuringExecution = new V1NodeSelector { NodeSelectorTerms = terms } } },
        },
        Status = new V1PodStatus { Phase = "Pending" },
    };

    internal static V1Container Container(string name, int cpu, string? restartPolicy = null) => new()
    {
        Name = name,
        RestartPolicy = restartPolicy,
        Resources = new V1ResourceRequirements { Requests = new Dictionary<string, ResourceQuantity> { ["cpu"] = new($"{cpu}") } },
    };
}
