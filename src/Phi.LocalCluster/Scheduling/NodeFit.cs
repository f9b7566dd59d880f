using System.Globalization;
using k8s.Models;

namespace Phi.LocalCluster.Scheduling;

/// <summary>Whether a pod may run on a node: the filters of kube-scheduler that this product's pods depend on.</summary>
internal static class NodeFit
{
    /// <summary>Null if it fits; else the reason in kube-scheduler's words.</summary>
    public static string? WhyNot(V1Pod pod, V1Node node, IEnumerable<V1Pod> onNode)
    {
        if (node.Spec?.Unschedulable == true)
        {
            return "node(s) were unschedulable";
        }

        if (node.Status?.Conditions?.FirstOrDefault(condition => condition.Type == "Ready")?.Status != "True")
        {
            return "node(s) were not ready";
        }

        if ((node.Spec?.Taints ?? []).FirstOrDefault(taint => taint.Effect is "NoSchedule" or "NoExecute" && !Tolerates(pod, taint)) is { } untolerated)
        {
            return $"node(s) had untolerated taint {{{untolerated.Key}: {untolerated.Value}}}";
        }

        if (!MatchesSelector(pod, node))
        {
            return "node(s) didn't match Pod's node affinity/selector";
        }

        var used = Sum(onNode.Where(other => other.Status?.Phase is not ("Succeeded" or "Failed")));
        foreach (var (resource, wanted) in Sum([pod]))
        {
            var free = Amount(node.Status!.Allocatable, resource) - used.GetValueOrDefault(resource);
            if (wanted > 0 && wanted > free)
            {
                return $"Insufficient {resource}";
            }
        }

        return null;
    }

    private static bool Tolerates(V1Pod pod, V1Taint taint) => (pod.Spec.Tolerations ?? []).Any(toleration =>
        (string.IsNullOrEmpty(toleration.Effect) || toleration.Effect == taint.Effect)
        && (toleration.OperatorProperty == "Exists"
            ? string.IsNullOrEmpty(toleration.Key) || toleration.Key == taint.Key
            : toleration.Key == taint.Key && (toleration.Value ?? "") == (taint.Value ?? "")));

    private static bool MatchesSelector(V1Pod pod, V1Node node)
    {
        var labels = node.Metadata.Labels ?? new Dictionary<string, string>();
        if ((pod.Spec.NodeSelector ?? new Dictionary<string, string>()).Any(wanted => !labels.TryGetValue(wanted.Key, out var value) || value != wanted.Value))
        {
            return false;
        }

        var required = pod.Spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution;
        return required is null || required.NodeSelectorTerms.Any(term =>
            (term.MatchExpressions ?? []).All(expression => Matches(expression, labels.TryGetValue(expression.Key, out var value) ? value : null))
            && (term.MatchFields ?? []).All(expression => Matches(expression, expression.Key == "metadata.name" ? node.Metadata.Name : null)));
    }

    private static bool Matches(V1NodeSelectorRequirement requirement, string? value) => requirement.OperatorProperty switch
    {
        "In" => value is not null && requirement.Values.Contains(value),
        "NotIn" => value is null || !requirement.Values.Contains(value),
        "Exists" => value is not null,
        "DoesNotExist" => value is null,
        "Gt" => long.TryParse(value, CultureInfo.InvariantCulture, out var number) && number > long.Parse(requirement.Values[0], CultureInfo.InvariantCulture),
        "Lt" => long.TryParse(value, CultureInfo.InvariantCulture, out var number) && number < long.Parse(requirement.Values[0], CultureInfo.InvariantCulture),
        _ => false,
    };

    private static Dictionary<string, decimal> Sum(IEnumerable<V1Pod> pods)
    {
        var sum = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var pod in pods)
        {
            sum["pods"] = sum.GetValueOrDefault("pods") + 1;
            foreach (var (name, quantity) in pod.Spec.Containers.SelectMany(container => container.Resources?.Requests ?? new Dictionary<string, ResourceQuantity>()))
            {
                sum[name] = sum.GetValueOrDefault(name) + quantity.ToDecimal();
            }
        }

        return sum;
    }

    private static decimal Amount(IDictionary<string, ResourceQuantity>? resources, string name) =>
        resources is not null && resources.TryGetValue(name, out var quantity) ? quantity.ToDecimal() : 0;
}
