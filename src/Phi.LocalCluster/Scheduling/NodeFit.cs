using k8s.Models;

namespace Phi.LocalCluster.Scheduling;

/// <summary>Whether a pod may run on a node: the filters of kube-scheduler that this product's pods depend on.</summary>
internal static class NodeFit
{
    /// <param name="requests">Of the pod, see <see cref="PodRequests"/>.</param>
    /// <param name="used">What the pods of the node take already.</param>
    /// <returns>Null if it fits; else the reason in kube-scheduler's words.</returns>
    public static string? WhyNot(V1Pod pod, IReadOnlyDictionary<string, decimal> requests, V1Node node, IReadOnlyDictionary<string, decimal> used)
    {
        if (node.Spec?.Unschedulable == true && !Tolerations.ToleratesCordon(pod))
        {
            return "node(s) were unschedulable";
        }

        if (!IsReady(node))
        {
            return "node(s) were not ready";
        }

        if (Tolerations.FirstUntolerated(pod, node) is { } taint)
        {
            return $"node(s) had untolerated taint {{{taint.Key}: {taint.Value}}}";
        }

        if (!NodeSelection.Matches(pod, node))
        {
            return "node(s) didn't match Pod's node affinity/selector";
        }

        foreach (var (resource, wanted) in requests.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (wanted > 0 && wanted > Amount(node.Status!.Allocatable, resource) - used.GetValueOrDefault(resource))
            {
                return resource == "pods" ? "Too many pods" : $"Insufficient {resource}";
            }
        }

        return null;
    }

    public static bool IsReady(V1Node node) => node.Status?.Conditions?.FirstOrDefault(condition => condition.Type == "Ready")?.Status == "True";

    private static decimal Amount(IDictionary<string, ResourceQuantity>? resources, string name) =>
        resources is not null && resources.TryGetValue(name, out var quantity) ? quantity.ToDecimal() : 0;
}
