using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Apply;

namespace Phi.LocalCluster.ApiServer.Registry;

/// <summary>Conditions in an object's status, and what they say of a pod.</summary>
internal static class Conditions
{
    public static bool IsReady(JsonObject pod) => Find(pod, "Ready") is { } ready && (string?)ready["status"] == "True";

    public static bool IsTerminal(JsonObject pod) => (string?)pod["status"]?["phase"] is "Succeeded" or "Failed";

    public static bool IsEnding(JsonObject pod) => pod["metadata"]!["deletionTimestamp"] is not null;

    /// <summary>Says why the pod is about to end by no fault of its own.</summary>
    public static void SetDisruptionTarget(JsonObject pod, string reason, string message, DateTimeOffset now)
    {
        var status = pod["status"] as JsonObject ?? (JsonObject)(pod["status"] = new JsonObject());
        Set(status, new JsonObject { ["type"] = "DisruptionTarget", ["status"] = "True", ["reason"] = reason, ["message"] = message }, now);
    }

    /// <summary>Puts a condition in the place of the one of its type; the time of its last transition stays if its status does.</summary>
    public static void Set(JsonObject status, JsonObject condition, DateTimeOffset now)
    {
        var conditions = status["conditions"] as JsonArray ?? (JsonArray)(status["conditions"] = new JsonArray());
        var old = conditions.FirstOrDefault(one => (string?)one?["type"] == (string?)condition["type"]) as JsonObject;
        condition["lastTransitionTime"] = (string?)old?["status"] == (string?)condition["status"] && old?["lastTransitionTime"] is { } since ? since.DeepClone() : ManagedFields.Stamp(now);
        if (old is null)
        {
            conditions.Add((JsonNode)condition);
        }
        else
        {
            conditions[conditions.IndexOf(old)] = condition;
        }
    }

    public static JsonNode? Find(JsonObject value, string type) =>
        (value["status"]?["conditions"] as JsonArray ?? []).FirstOrDefault(condition => (string?)condition?["type"] == type);
}
