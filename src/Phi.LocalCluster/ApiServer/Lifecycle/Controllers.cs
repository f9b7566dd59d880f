using Phi.LocalCluster.ApiServer.Authorization;
using Phi.LocalCluster.ApiServer.Disruption;
using Phi.LocalCluster.ApiServer.NodeHealth;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Workloads;

namespace Phi.LocalCluster.ApiServer.Lifecycle;

/// <summary>What kube-controller-manager is on a cluster: the loops that follow up on what clients wrote.</summary>
internal static class Controllers
{
    /// <summary>Runs them all until cancelled.</summary>
    /// <param name="certificate">The server's, in PEM.</param>
    public static Task RunAsync(ResourceService service, ApiServerOptions options, string certificate, TimeProvider clock, CancellationToken ct)
    {
        return Task.WhenAll(
            new GarbageCollector(service).RunAsync(ct),
            Loop(DisruptionController.Watched, new DisruptionController(service, clock).Pass),
            Loop(JobController.Watched, new JobController(service, clock).Pass),
            Loop(NodeLifecycle.Watched, new NodeLifecycle(service, clock, options.NodeMonitorGracePeriod).Pass),
            Loop(NamespaceContents.Watched, new NamespaceContents(service, certificate).Pass),
            Loop(RoleAggregation.Watched, new RoleAggregation(service).Pass));

        Task Loop(IReadOnlySet<string> watched, Func<TimeSpan?> pass) => new ControlLoop(service.Store, clock, watched, pass).RunAsync(ct);
    }
}
