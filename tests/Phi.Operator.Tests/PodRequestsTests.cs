using k8s.Models;
using Phi.Kubernetes.Scheduling;
using Phi.Operator.Observe;
using Xunit;

namespace Phi.Operator.Tests;

/// <summary>What a pod takes of its node, as kube-scheduler counts it.</summary>
public sealed class PodRequestsTests
{
    [Fact]
    public void Of_SidecarsInitContainersAndOverhead_CountsTheLargerOfStartAndRun()
    {
        var pod = new V1Pod
        {
            Spec = new V1PodSpec
            {
                Containers = [Container("1", "1Gi"), Container("500m", null)],
                // The second step starts beside the sidecar: 3 + 1 is more than the 1.5 + 1 of the run.
                InitContainers = [Container("2", "4Gi"), Sidecar("1", null), Container("3", null)],
                Overhead = new Dictionary<string, ResourceQuantity> { ["memory"] = new("100Mi") },
            },
        };

        var requests = PodRequests.Of(pod);

        Assert.Equal((4m, 4 * 1024m * 1024 * 1024 + 100 * 1024 * 1024, 1m), (requests["cpu"], requests["memory"], requests["pods"]));
    }

    [Fact]
    public void Of_RequestsOfThePodItself_Win()
    {
        var pod = new V1Pod { Spec = new V1PodSpec { Containers = [Container("1", "1Gi")], Resources = new V1ResourceRequirements { Requests = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("3") } } } };

        Assert.Equal(3, PodRequests.Of(pod)["cpu"]);
    }

    private static V1Container Container(string cpu, string? memory)
    {
        var requests = new Dictionary<string, ResourceQuantity> { ["cpu"] = new(cpu) };
        if (memory is not null)
        {
            requests["memory"] = new(memory);
        }

        return new V1Container { Name = "c", Resources = new V1ResourceRequirements { Requests = requests } };
    }

    private static V1Container Sidecar(string cpu, string? memory)
    {
        var container = Container(cpu, memory);
        container.RestartPolicy = "Always";
        return container;
    }
}
