using System.Globalization;
using k8s.Models;

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
        && (term.MatchExpressions ?? []).All(expression => Matches(expression, labels.TryGetValue(expression.Key, out var value) ? value : null))
        && (term.MatchFields ?? []).All(field => field is { Key: "metadata.name", OperatorProperty: "In" or "NotIn" } && Matches(field, name));

    private static bool Matches(V1NodeSelectorRequirement requirement, string? value)
    {
        var values = requirement.Values ?? [];
        return requirement.OperatorProperty switch
        {
            "In" => value is not null && values.Contains(value),
            "NotIn" => value is null || !values.Contains(value),
            "Exists" => value is not null,
            "DoesNotExist" => value is null,
            "Gt" => Numbers(value, values) is var (label, bound) && label > bound,
            "Lt" => Numbers(value, values) is var (label, bound) && label < bound,
            _ => false,
        };
    }

    private static (long Label, long Bound)? Numbers(string? value, IList<string> values) =>
        values is [var only]
        && long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var label)
        && long.TryParse(only, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var bound) ? (label, bound) : null;
}
