using k8s.Models;
using Phi.Kubernetes.Scheduling;

namespace Phi.LocalCluster.Scheduling;

/// <summary>A pod's nodeSelector and required node affinity as kube-scheduler's NodeAffinity filter reads them.</summary>
internal static class NodeSelection
{
    public static bool Matches(V1Pod pod, V1Node node)
    {
        var labels = node.Metadata.Labels ?? new Dictionary<string, string>();
        if ((pod.Spec.NodeSelector ?? new Dictionary<string, string>()).Any(wanted => !labels.TryGetValue(wanted.Key, out var value) || value != wanted.Value))
        {
            return false;
        }

        var required = pod.Spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution;
        return required is null || (required.NodeSelectorTerms ?? []).Any(term => Matches(term, labels, node.Metadata.Name));
    }

    /// <summary>All of a term's requirements hold; a term without any matches no node.</summary>
    private static bool Matches(V1NodeSelectorTerm term, IDictionary<string, string> labels, string name) =>
        (term.MatchExpressions is { Count: > 0 } || term.MatchFields is { Count: > 0 })
        && (term.MatchExpressions ?? []).All(expression => NodeRequirement.IsMet(expression, labels.TryGetValue(expression.Key, out var value) ? value : null))
        && (term.MatchFields ?? []).All(field => field is { Key: "metadata.name", OperatorProperty: "In" or "NotIn" } && NodeRequirement.IsMet(field, name));
}
