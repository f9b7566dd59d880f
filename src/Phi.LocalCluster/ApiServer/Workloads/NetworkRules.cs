using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;

namespace Phi.LocalCluster.ApiServer.Workloads;

/// <summary>NetworkPolicies and Ingresses (networking.k8s.io/v1): kept and checked. On one machine there is no network to rule.</summary>
internal static class NetworkRules
{
    private static readonly string[] PathTypes = ["Exact", "Prefix", "ImplementationSpecific"];

    public static void ApplyDefaults(ResourceType type, JsonObject value)
    {
        if (type == BuiltInResources.NetworkPolicies && value["spec"] is JsonObject { } spec && spec["policyTypes"] is null)
        {
            spec["policyTypes"] = spec["egress"] is JsonArray { Count: > 0 } ? new JsonArray("Ingress", "Egress") : new JsonArray("Ingress");
        }
    }

    public static IEnumerable<FieldError> Check(ResourceType type, JsonObject value) => type == BuiltInResources.NetworkPolicies ? CheckPolicy(value) : CheckIngress(value);

    private static IEnumerable<FieldError> CheckPolicy(JsonObject value)
    {
        var types = (value["spec"]?["policyTypes"] as JsonArray ?? []).Select(type => (string?)type).ToList();
        if (types.Find(type => type is not ("Ingress" or "Egress")) is { } other)
        {
            yield return new FieldError("spec.policyTypes", "FieldValueNotSupported", $"Unsupported value: \"{other}\": supported values: \"Egress\", \"Ingress\"");
        }

        foreach (var error in LabelSelector.Check(value["spec"]?["podSelector"], "spec.podSelector"))
        {
            yield return error;
        }
    }

    private static IEnumerable<FieldError> CheckIngress(JsonObject value)
    {
        var rules = value["spec"]?["rules"] as JsonArray ?? [];
        if (rules.Count == 0 && value["spec"]?["defaultBackend"] is null)
        {
            yield return FieldError.Invalid("spec", value["spec"]?.ToJsonString() ?? "null", "either `defaultBackend` or `rules` must be specified");
        }

        foreach (var (rule, number) in rules.Select((rule, number) => (rule, number)))
        {
            foreach (var (path, index) in (rule?["http"]?["paths"] as JsonArray ?? []).Select((path, index) => (path, index)))
            {
                var at = $"spec.rules[{number}].http.paths[{index}]";
                if (path?["pathType"] is null)
                {
                    yield return FieldError.Required($"{at}.pathType", "pathType must be specified");
                }
                else if (!PathTypes.Contains((string)path["pathType"]!))
                {
                    yield return new FieldError($"{at}.pathType", "FieldValueNotSupported", $"Unsupported value: \"{path["pathType"]}\": supported values: \"Exact\", \"ImplementationSpecific\", \"Prefix\"");
                }

                if (path?["backend"] is null)
                {
                    yield return FieldError.Required($"{at}.backend");
                }
            }
        }
    }
}
