using Phi.LocalCluster.ApiServer.Registry;

namespace Phi.LocalCluster.ApiServer.NodeHealth;

/// <summary>Nodes that are lost, and what becomes of their pods (kubernetes.io, "Nodes" and "Taints and Tolerations").</summary>
internal sealed class NodeLifecycle(ResourceService service, TimeProvider clock, TimeSpan gracePeriod)
{
    private readonly NodeMonitor _monitor = new(service, clock, gracePeriod);
    private readonly PodEvictor _evictor = new(service, clock);

    public static IReadOnlySet<string> Watched { get; } =
        new HashSet<string>(StringComparer.Ordinal) { BuiltInResources.Nodes.Storage, BuiltInResources.Pods.Storage, "leases.coordination.k8s.io" };

    /// <summary>Nodes first, so that their pods are judged by the taints of now. Returns the time until something must happen.</summary>
    public TimeSpan? Pass() => (_monitor.Pass(), _evictor.Pass()) switch
    {
        ({ } node, { } pod) => node < pod ? node : pod,
        var (node, pod) => node ?? pod,
    };
}
