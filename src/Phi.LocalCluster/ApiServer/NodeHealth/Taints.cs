using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Apply;
using Phi.LocalCluster.ApiServer.Registry;

namespace Phi.LocalCluster.ApiServer.NodeHealth;

/// <summary>The taints that a node's state puts on it (kubernetes.io, "Taints and Tolerations"), and which pods bear a taint.</summary>
internal static class Taints
{
    public const string NotReady = "node.kubernetes.io/not-ready";
    public const string Unreachable = "node.kubernetes.io/unreachable";
    public const string OutOfService = "node.kubernetes.io/out-of-service";
    private const string NoSchedule = "NoSchedule";
    private const string NoExecute = "NoExecute";

    private static readonly (string Condition, string Taint)[] Pressures =
    [
        ("MemoryPressure", "node.kubernetes.io/memory-pressure"),
        ("DiskPressure", "node.kubernetes.io/disk-pressure"),
        ("PIDPressure", "node.kubernetes.io/pid-pressure"),
        ("NetworkUnavailable", "node.kubernetes.io/network-unavailable"),
    ];

    private static readonly HashSet<string> Managed =
        [NotReady, Unreachable, "node.kubernetes.io/unschedulable", .. Pressures.Select(pressure => pressure.Taint)];

    /// <summary>Brings the node's taints in line with its conditions and spec.unschedulable; those that it should have keep their time.</summary>
    public static void Refresh(JsonObject node, DateTimeOffset now)
    {
        var wanted = Wanted(node).ToList();
        var present = (node["spec"]?["taints"] as JsonArray ?? []).OfType<JsonObject>().ToList();
        var kept = present.Where(taint => !IsManaged(taint) || wanted.Contains(Id(taint))).Select(taint => taint.DeepClone()).ToList();
        var added = wanted.Except(present.Select(Id)).Select(id => (JsonNode)new JsonObject { ["key"] = id.Key, ["effect"] = id.Effect, ["timeAdded"] = ManagedFields.Stamp(now) }).ToList();
        if (added.Count == 0 && kept.Count == present.Count)
        {
            return;
        }

        var spec = node["spec"] as JsonObject ?? (JsonObject)(node["spec"] = new JsonObject());
        if (added.Count + kept.Count == 0)
        {
            spec.Remove("taints");
        }
        else
        {
            spec["taints"] = new JsonArray([.. kept, .. added]);
        }
    }

    public static IReadOnlyList<JsonNode> OfEffectNoExecute(JsonObject node) =>
        [.. (node["spec"]?["taints"] as JsonArray ?? []).OfType<JsonNode>().Where(taint => (string?)taint["effect"] == NoExecute)];

    public static bool Has(JsonObject node, string key) => (node["spec"]?["taints"] as JsonArray ?? []).Any(taint => (string?)taint?["key"] == key);

    /// <summary>How long a pod may stay on a node with these taints: null for ever, else from the moment that it met them.</summary>
    public static TimeSpan? Patience(JsonObject pod, IReadOnlyList<JsonNode> taints)
    {
        var tolerations = (pod["spec"]!["tolerations"] as JsonArray ?? []).OfType<JsonNode>().ToList();
        var used = taints.Select(taint => tolerations.Find(toleration => Tolerates(toleration, taint))).ToList();
        if (used.Contains(null))
        {
            return TimeSpan.Zero;
        }

        var limits = used.Select(toleration => (long?)toleration!["tolerationSeconds"]).OfType<long>().ToList();
        return limits.Count == 0 ? null : TimeSpan.FromSeconds(Math.Max(0, limits.Min()));
    }

    /// <summary>As the admission plugin DefaultTolerationSeconds: a pod stays 300 s on a node that is lost unless it says otherwise.</summary>
    public static void AddDefaultTolerations(JsonObject spec)
    {
        foreach (var key in new[] { NotReady, Unreachable })
        {
            var tolerations = spec["tolerations"] as JsonArray ?? [];
            if (!tolerations.Any(toleration => (string?)toleration?["key"] is var name && (string.IsNullOrEmpty(name) || name == key) && (string?)toleration?["effect"] is null or "" or NoExecute))
            {
                spec["tolerations"] ??= tolerations;
                tolerations.Add((JsonNode)new JsonObject { ["key"] = key, ["operator"] = "Exists", ["effect"] = NoExecute, ["tolerationSeconds"] = 300 });
            }
        }
    }

    private static IEnumerable<(string? Key, string? Effect)> Wanted(JsonObject node)
    {
        var lost = (string?)Conditions.Find(node, "Ready")?["status"] switch { "False" => NotReady, "Unknown" => Unreachable, _ => null };
        if (lost is not null)
        {
            yield return (lost, NoSchedule);
            yield return (lost, NoExecute);
        }

        foreach (var (_, taint) in Pressures.Where(pressure => (string?)Conditions.Find(node, pressure.Condition)?["status"] == "True"))
        {
            yield return (taint, NoSchedule);
        }

        if ((bool?)node["spec"]?["unschedulable"] == true)
        {
            yield return ("node.kubernetes.io/unschedulable", NoSchedule);
        }
    }

    private static bool IsManaged(JsonObject taint) => Managed.Contains((string?)taint["key"] ?? "");

    private static (string? Key, string? Effect) Id(JsonObject taint) => ((string?)taint["key"], (string?)taint["effect"]);

    private static bool Tolerates(JsonNode toleration, JsonNode taint)
    {
        var (key, effect) = ((string?)toleration["key"] ?? "", (string?)toleration["effect"] ?? "");
        var isExists = (string?)toleration["operator"] == "Exists";
        return (effect.Length == 0 || effect == (string?)taint["effect"])
            && (key.Length == 0 ? isExists : key == (string?)taint["key"])
            && (isExists || ((string?)toleration["value"] ?? "") == ((string?)taint["value"] ?? ""));
    }
}
