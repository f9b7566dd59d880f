using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Phi.Api.Metadata;

namespace Phi.Operator.Execute;

/// <summary>
/// Pins and gates, as the API server lets them be changed (KEP-3838, "Mutable Pod Scheduling Directives When Gated"): while a pod is gated,
/// required node affinity may be set where there was none, and each of its terms may get more requirements; gates may only go.
/// </summary>
internal static class GangPin
{
    private const string Field = "metadata.name";

    /// <summary>Merge patch that requires the node by its name. Terms that admission has set are kept: one of them must hold, so each gets the node.</summary>
    public static JsonObject To(V1Pod? pod, string node)
    {
        var pin = new V1NodeSelectorRequirement { Key = Field, OperatorProperty = "In", Values = [node] };
        var terms = (Terms(pod) is { Count: > 0 } given ? given : [new V1NodeSelectorTerm()])
            .Select(term => new V1NodeSelectorTerm { MatchExpressions = term.MatchExpressions, MatchFields = [.. (term.MatchFields ?? []).Where(field => field.Key != Field), pin] });
        return new JsonObject
        {
            ["spec"] = new JsonObject
            {
                ["affinity"] = new JsonObject
                {
                    ["nodeAffinity"] = new JsonObject
                    {
                        ["requiredDuringSchedulingIgnoredDuringExecution"] = new JsonObject { ["nodeSelectorTerms"] = new JsonArray([.. terms.Select(term => JsonNode.Parse(KubernetesJson.Serialize(term)))]) },
                    },
                },
            },
        };
    }

    /// <summary>Strategic merge patch that takes the gang's gate away, and nobody else's.</summary>
    public static JsonObject Open() => new()
    {
        ["spec"] = new JsonObject { ["schedulingGates"] = new JsonArray(new JsonObject { ["$patch"] = "delete", ["name"] = PhiNames.GangGate }) },
    };

    /// <summary>The node that a pod is pinned to; null if it is to none.</summary>
    public static string? NodeOf(V1Pod pod) =>
        Terms(pod) is [var first, ..] && first.MatchFields?.FirstOrDefault(field => field is { Key: Field, OperatorProperty: "In", Values.Count: 1 }) is { } pin ? pin.Values[0] : null;

    private static IList<V1NodeSelectorTerm>? Terms(V1Pod? pod) => pod?.Spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution?.NodeSelectorTerms;
}
