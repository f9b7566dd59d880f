using k8s.Models;
using Phi.Api.Metadata;
using Phi.Dashboard.Components.Pages;

namespace Phi.Dashboard.Tests;

public sealed class NodeLineTests
{
    [Fact]
    public void Of_ANodeWithPods_SaysWhatIsUsedAndByWhom()
    {
        var node = new V1Node
        {
            Metadata = new V1ObjectMeta { Name = "node-0", Labels = new Dictionary<string, string> { [PhiNames.RackLabel] = "r1", [PhiNames.ZoneLabel] = "z1" } },
            Spec = new V1NodeSpec { Unschedulable = true, Taints = [new V1Taint { Key = "spot", Effect = "NoSchedule" }] },
            Status = new V1NodeStatus { Conditions = [new V1NodeCondition { Type = "Ready", Status = "True" }], Allocatable = new Dictionary<string, ResourceQuantity> { [PhiNames.GpuResource] = new("8") } },
        };

        var line = NodeLine.Of(node, [Pod("a", "3"), Pod("a", "1"), Pod("b", null)]);

        Assert.Equal(("Ready, cordoned", false, "spot:NoSchedule", "r1 / z1", 3), (line.State, line.IsHealthy, line.Taints, line.Domain, line.Pods));
        Assert.Equal(new NodeRoom("gpu", 4, 8), Assert.Single(line.Accelerators));
        Assert.Equal(["default/a", "default/b"], line.Jobs);
    }

    [Fact]
    public void Of_ANodeThatHasSaidNothing_IsNotWell()
    {
        var line = NodeLine.Of(new V1Node { Metadata = new V1ObjectMeta { Name = "new" } }, []);

        Assert.Equal(("Not ready: it has said nothing yet", false), (line.State, line.IsHealthy));
    }

    private static V1Pod Pod(string job, string? gpus) => new()
    {
        Metadata = new V1ObjectMeta { NamespaceProperty = "default", Labels = new Dictionary<string, string> { [PhiNames.JobNameLabel] = job } },
        Spec = new V1PodSpec { Containers = [new V1Container { Resources = gpus is null ? null : new V1ResourceRequirements { Limits = new Dictionary<string, ResourceQuantity> { [PhiNames.GpuResource] = new(gpus) } } }] },
    };
}
