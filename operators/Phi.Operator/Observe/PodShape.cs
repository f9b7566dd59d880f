using System.Text.Json.Nodes;
using k8s.Models;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes.Scheduling;

namespace Phi.Operator.Observe;

/// <summary>What a job's pods ask of a node: all pods of a gang ask the same.</summary>
/// <param name="Requests">Amounts by resource, accelerators among them.</param>
/// <param name="Terms">Of the required node affinity without the operator's own pins: one of them must hold. Empty: any node.</param>
internal sealed record PodShape(
    IReadOnlyDictionary<string, decimal> Requests, IReadOnlyList<V1Toleration> Tolerations, IReadOnlyDictionary<string, string> NodeSelector, IReadOnlyList<V1NodeSelectorTerm> Terms)
{
    /// <summary>As the API server has stored it, with what admission added: tolerations, default requests, a runtime class's overhead.</summary>
    public static PodShape Of(V1Pod pod) => new(
        PodRequests.Of(pod),
        [.. pod.Spec.Tolerations ?? []],
        new Dictionary<string, string>(pod.Spec.NodeSelector ?? new Dictionary<string, string>(), StringComparer.Ordinal),
        [.. (pod.Spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution?.NodeSelectorTerms ?? []).Where(term => term.MatchExpressions is { Count: > 0 })]);

    /// <summary>As the job's template has it, before there is a pod.</summary>
    /// <param name="resource">Of the accelerators.</param>
    public static PodShape Of(TrainingJobSpec spec, string resource)
    {
        var requests = new Dictionary<string, decimal>(StringComparer.Ordinal) { ["pods"] = 1, [resource] = spec.Accelerator!.PerReplica!.Value };
        // A limit without a request is the request, too.
        foreach (var (name, amount) in Amounts(spec.Template!, "requests").Concat(Amounts(spec.Template!, "limits")))
        {
            requests.TryAdd(name, new ResourceQuantity(amount).ToDecimal());
        }

        return new PodShape(
            requests,
            [.. (spec.Template!.Tolerations ?? []).OfType<JsonObject>().Select(Toleration)],
            spec.Template.NodeSelector ?? new Dictionary<string, string>(),
            []);
    }

    /// <summary>Null if the node is open to such pods; else why not, as "has the taint x" or "does not match the nodeSelector x=y".</summary>
    public string? WhyNot(NodeFacts node)
    {
        if (node.IsCordoned)
        {
            return "is cordoned";
        }

        if (!node.IsReady)
        {
            return "is not ready";
        }

        if (node.Taints.FirstOrDefault(taint => !TaintToleration.Tolerates(Tolerations, taint)) is { } untolerated)
        {
            return $"has the taint {untolerated.Key}{(string.IsNullOrEmpty(untolerated.Value) ? "" : $"={untolerated.Value}")}";
        }

        var mismatch = NodeSelector.FirstOrDefault(wanted => node.Label(wanted.Key) != wanted.Value);
        return mismatch.Key is not null ? $"does not match the nodeSelector {mismatch.Key}={mismatch.Value}"
            : Terms.Count > 0 && !Terms.Any(term => term.MatchExpressions.All(expression => NodeRequirement.IsMet(expression, node.Label(expression.Key)))) ? "does not match the node affinity"
            : null;
    }

    private static IEnumerable<KeyValuePair<string, string>> Amounts(PodTemplateSpec template, string kind) =>
        (template.Resources?[kind] as JsonObject ?? []).Where(pair => pair.Value is not null).Select(pair => KeyValuePair.Create(pair.Key, pair.Value!.ToString()));

    private static V1Toleration Toleration(JsonObject given) => new()
    {
        Key = (string?)given["key"], OperatorProperty = (string?)given["operator"], Value = (string?)given["value"], Effect = (string?)given["effect"],
    };
}
