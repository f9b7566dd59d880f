using System.Globalization;
using k8s.Models;

namespace Phi.Kubernetes.Scheduling;

/// <summary>One expression of a node selector's term, as kube-scheduler's NodeAffinity filter reads it.</summary>
public static class NodeRequirement
{
    /// <param name="value">Of the node's label or field; null: it has none.</param>
    public static bool IsMet(V1NodeSelectorRequirement requirement, string? value)
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
