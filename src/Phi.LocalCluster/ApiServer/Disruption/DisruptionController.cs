using System.Globalization;
using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Apply;
using Phi.LocalCluster.ApiServer.Printing;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Storage;

namespace Phi.LocalCluster.ApiServer.Disruption;

/// <summary>Keeps the status of every PodDisruptionBudget: how many of its pods are healthy, and how many may be evicted now.</summary>
internal sealed class DisruptionController(ResourceService service, TimeProvider clock)
{
    /// <summary>An eviction that was granted and whose pod still has no deletion mark after this long counts no more.</summary>
    private static readonly TimeSpan DeletionTimeout = TimeSpan.FromMinutes(2);

    public static IReadOnlySet<string> Watched { get; } = new HashSet<string>(StringComparer.Ordinal) { BuiltInResources.Pods.Storage, BuiltInResources.PodDisruptionBudgets.Storage };

    /// <summary>One look at every budget; returns the time until a granted eviction runs out.</summary>
    public TimeSpan? Pass()
    {
        TimeSpan? next = null;
        foreach (var budget in service.Store.List(BuiltInResources.PodDisruptionBudgets.Storage).Items)
        {
            var key = ResourceService.KeyOf(budget);
            var pods = service.Store.List(BuiltInResources.Pods.Storage, key.Namespace).Items.Where(pod => LabelSelector.Matches(budget["spec"]?["selector"], pod)).ToList();
            try
            {
                service.Store.TryChange(BuiltInResources.PodDisruptionBudgets, key, current => next = Sooner(next, Refresh(current, pods)));
            }
            catch (Exception e) when (e is ApiException { Code: 404 } or InvalidOperationException or FormatException)
            {
                // Deleted meanwhile, or its status or its pods' scale cannot be read: then its last numbers stay, and the other budgets get theirs.
            }
        }

        return next;
    }

    private TimeSpan? Refresh(JsonObject budget, List<JsonObject> pods)
    {
        var now = clock.GetUtcNow();
        var status = budget["status"] as JsonObject ?? (JsonObject)(budget["status"] = new JsonObject());
        var (disrupted, next) = Disrupted(status, pods, now);
        status["observedGeneration"] = budget["metadata"]!["generation"]?.DeepClone();
        if (disrupted.Count > 0)
        {
            status["disruptedPods"] = disrupted;
        }
        else
        {
            status.Remove("disruptedPods");
        }

        var (expected, desired, problem) = Wanted(budget, pods);
        if (problem is not null)
        {
            status["disruptionsAllowed"] = 0;
            SetAllowed(budget, "False", "SyncFailed", problem, now);
            return next;
        }

        var healthy = pods.Count(pod => !Conditions.IsEnding(pod) && !disrupted.ContainsKey(Name(pod)) && Conditions.IsReady(pod));
        var allowed = expected > 0 ? Math.Max(0, healthy - desired) : 0;
        (status["expectedPods"], status["currentHealthy"], status["desiredHealthy"], status["disruptionsAllowed"]) = (expected, healthy, desired, allowed);
        SetAllowed(budget, now);
        return next;
    }

    /// <summary>The condition that says whether a pod may be evicted, from disruptionsAllowed.</summary>
    public static void SetAllowed(JsonObject budget, DateTimeOffset now)
    {
        var isAllowed = (int)budget["status"]!["disruptionsAllowed"]! > 0;
        SetAllowed(budget, isAllowed ? "True" : "False", isAllowed ? "SufficientPods" : "InsufficientPods", "", now);
    }

    private static void SetAllowed(JsonObject budget, string status, string reason, string message, DateTimeOffset now) => Conditions.Set(
        budget["status"]!.AsObject(),
        new JsonObject
        {
            ["type"] = "DisruptionAllowed",
            ["status"] = status,
            ["reason"] = reason,
            ["message"] = message,
            ["observedGeneration"] = budget["status"]!["observedGeneration"]?.DeepClone(),
        },
        now);

    /// <summary>Evictions granted to pods that are still there without a deletion mark, and the time until the first of them runs out.</summary>
    private static (JsonObject Pods, TimeSpan? Next) Disrupted(JsonObject status, List<JsonObject> pods, DateTimeOffset now)
    {
        var (kept, next) = (new JsonObject(), (TimeSpan?)null);
        foreach (var (name, since) in status["disruptedPods"] as JsonObject ?? [])
        {
            var left = DateTimeOffset.Parse((string)since!, CultureInfo.InvariantCulture) + DeletionTimeout - now;
            if (left > TimeSpan.Zero && pods.Exists(pod => Name(pod) == name && !Conditions.IsEnding(pod)))
            {
                kept[name] = since!.DeepClone();
                next = Sooner(next, left);
            }
        }

        return (kept, next);
    }

    /// <summary>
    /// How many pods there should be and how many of them healthy. Only a number as minAvailable can do without the pods' controllers;
    /// all else needs their scale.
    /// </summary>
    private (int Expected, int Desired, string? Problem) Wanted(JsonObject budget, List<JsonObject> pods)
    {
        var spec = budget["spec"];
        if (spec?["minAvailable"] is { } fixedMinimum && !BudgetRules.IsPercentage(fixedMinimum))
        {
            return (pods.Count, (int)fixedMinimum, null);
        }

        var (minimum, maximum) = (spec?["minAvailable"], spec?["maxUnavailable"]);
        if (minimum is null && maximum is null)
        {
            return (pods.Count, 0, null);
        }

        var scales = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var pod in pods)
        {
            if ((pod["metadata"]!["ownerReferences"] as JsonArray ?? []).FirstOrDefault(owner => (bool?)owner?["controller"] == true) is not { } controller)
            {
                continue;
            }

            if (Replicas((string)pod["metadata"]!["namespace"]!, controller) is not { } replicas)
            {
                return (0, 0, $"{(string?)controller["kind"]} \"{(string?)controller["name"]}\" of pod \"{Name(pod)}\" does not implement the scale subresource; use a number as minAvailable");
            }

            scales[(string)controller["uid"]!] = replicas;
        }

        var expected = scales.Values.Sum();
        return (expected, minimum is not null ? BudgetRules.Scale(minimum, expected) : Math.Max(0, expected - BudgetRules.Scale(maximum!, expected)), null);
    }

    /// <summary>The replicas that a custom object asks for, by its definition's scale subresource. Null if it has none.</summary>
    private int? Replicas(string @namespace, JsonNode controller)
    {
        var type = service.Catalog.FindKind((string)controller["apiVersion"]!, (string)controller["kind"]!);
        var definition = type is null ? null : service.Store.Get(BuiltInResources.Definitions.Storage, new ObjectKey("", type.Resource));
        var version = (definition?["spec"]?["versions"] as JsonArray ?? []).FirstOrDefault(one => (string?)one?["name"] == type!.Version);
        return (string?)version?["subresources"]?["scale"]?["specReplicasPath"] is { } path
            && service.Store.Get(type!.Storage, new ObjectKey(type.Namespaced ? @namespace : "", (string)controller["name"]!)) is { } owner
            ? JsonPath.Parse(path).Select(owner) is [var found, ..] ? (int)found : 0
            : null;
    }

    private static string Name(JsonObject pod) => (string)pod["metadata"]!["name"]!;

    private static TimeSpan? Sooner(TimeSpan? one, TimeSpan? other) => one is null || other < one ? other ?? one : one;
}
