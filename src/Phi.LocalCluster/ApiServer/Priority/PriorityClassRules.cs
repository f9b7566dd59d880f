using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;

namespace Phi.LocalCluster.ApiServer.Priority;

/// <summary>What a PriorityClass must be (scheduling.k8s.io/v1), and the two that every cluster has.</summary>
internal static class PriorityClassRules
{
    private const int HighestOfUsers = 1_000_000_000;
    private static readonly Dictionary<string, int> System = new(StringComparer.Ordinal) { ["system-cluster-critical"] = 2_000_000_000, ["system-node-critical"] = 2_000_001_000 };

    /// <summary>The classes that exist from the start.</summary>
    public static IEnumerable<JsonObject> BuiltIn => System.Select(pair => new JsonObject
    {
        ["metadata"] = new JsonObject { ["name"] = pair.Key },
        ["value"] = pair.Value,
        ["description"] = pair.Key == "system-node-critical"
            ? "Used for system critical pods that must not be moved from their current node."
            : "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    });

    public static void ApplyDefaults(JsonObject value) => value["preemptionPolicy"] ??= "PreemptLowerPriority";

    public static IEnumerable<FieldError> Check(JsonObject value, JsonObject? old)
    {
        var (name, number) = ((string)value["metadata"]!["name"]!, (long?)value["value"] ?? 0);
        if (name.StartsWith("system-", StringComparison.Ordinal))
        {
            if (!System.TryGetValue(name, out var reserved) || reserved != number)
            {
                yield return FieldError.Forbidden("metadata.name", "priority class names with 'system-' prefix are reserved for system use only");
            }
        }
        else if (number > HighestOfUsers)
        {
            yield return FieldError.Forbidden("value", $"maximum allowed value of a user defined priority is {HighestOfUsers}");
        }

        if ((string?)value["preemptionPolicy"] is var policy && policy is not ("PreemptLowerPriority" or "Never"))
        {
            yield return new FieldError("preemptionPolicy", "FieldValueNotSupported", $"Unsupported value: \"{policy}\": supported values: \"Never\", \"PreemptLowerPriority\"");
        }

        if (old is not null && ((long?)old["value"] ?? 0) != number)
        {
            yield return FieldError.Forbidden("value", "may not be changed in an update.");
        }

        if (old is not null && (string?)old["preemptionPolicy"] is { } before && before != policy)
        {
            yield return FieldError.Invalid("preemptionPolicy", $"\"{policy}\"", "field is immutable");
        }
    }
}
