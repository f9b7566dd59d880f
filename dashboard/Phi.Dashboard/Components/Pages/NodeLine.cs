using k8s.Models;
using Phi.Api.Metadata;

namespace Phi.Dashboard.Components.Pages;

/// <summary>What the list of nodes shows of one.</summary>
/// <param name="State">Ready or not, and whether new pods may come.</param>
/// <param name="Domain">Of the topology, widest last.</param>
internal sealed record NodeLine(string Name, string State, bool IsHealthy, string Taints, IReadOnlyList<NodeRoom> Accelerators, string Domain, IReadOnlyList<string> Jobs, int Pods)
{
    private static readonly string[] Resources = [PhiNames.GpuResource, PhiNames.CpuSlotResource];
    private static readonly string[] Domains = [PhiNames.NvlinkDomainLabel, PhiNames.RackLabel, PhiNames.ZoneLabel];

    /// <param name="pods">Those of jobs, that have not ended.</param>
    public static NodeLine Of(V1Node node, IReadOnlyList<V1Pod> pods)
    {
        var ready = node.Status?.Conditions?.FirstOrDefault(condition => condition.Type == "Ready");
        var isReady = ready?.Status == "True";
        var isCordoned = node.Spec?.Unschedulable == true;
        return new NodeLine(
            node.Metadata.Name,
            $"{(isReady ? "Ready" : $"Not ready: {ready?.Message ?? "it has said nothing yet"}")}{(isCordoned ? ", cordoned" : "")}",
            isReady && !isCordoned,
            string.Join(", ", (node.Spec?.Taints ?? []).Select(taint => $"{taint.Key}:{taint.Effect}")),
            [.. Resources.Where(resource => node.Status?.Allocatable?.ContainsKey(resource) == true).Select(resource => new NodeRoom(resource[(resource.LastIndexOf('/') + 1)..], pods.Sum(pod => Requested(pod, resource)), node.Status!.Allocatable[resource].ToInt64()))],
            string.Join(" / ", Domains.Select(label => node.Metadata.Labels?.TryGetValue(label, out var domain) == true ? domain : "").Where(domain => domain.Length > 0)),
            [.. pods.Select(pod => $"{pod.Metadata.NamespaceProperty}/{pod.Metadata.Labels[PhiNames.JobNameLabel]}").Distinct().Order(StringComparer.Ordinal)],
            pods.Count);
    }

    private static long Requested(V1Pod pod, string resource) =>
        pod.Spec.Containers.Sum(container => container.Resources?.Requests?.TryGetValue(resource, out var quantity) == true || container.Resources?.Limits?.TryGetValue(resource, out quantity) == true ? quantity.ToInt64() : 0);
}

/// <summary>Accelerators of one kind.</summary>
/// <param name="Name">The resource's, without its domain.</param>
internal sealed record NodeRoom(string Name, long Used, long Allocatable);
