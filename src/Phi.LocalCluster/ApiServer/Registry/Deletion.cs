using System.Globalization;
using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Apply;

namespace Phi.LocalCluster.ApiServer.Registry;

/// <summary>What a deletion does to an object before it can go.</summary>
internal static class Deletion
{
    /// <summary>Marks the object as the options ask. True if something still holds it; false if it can be removed at once.</summary>
    public static bool Mark(ResourceType type, JsonObject value, DeleteOptions options, DateTimeOffset now)
    {
        var metadata = value["metadata"]!.AsObject();
        var wasMarked = metadata["deletionTimestamp"] is not null;
        if (!wasMarked)
        {
            if (options.PropagationPolicy is "Foreground" or "Orphan")
            {
                var finalizers = (metadata["finalizers"] ??= new JsonArray()).AsArray();
                finalizers.Add(options.PropagationPolicy == "Foreground" ? ResourceService.ForegroundFinalizer : ResourceService.OrphanFinalizer);
            }

            if (type == BuiltInResources.Definitions)
            {
                (metadata["finalizers"] ??= new JsonArray()).AsArray().Add(ResourceService.DefinitionFinalizer);
            }
        }

        var grace = Grace(type, value, options);
        var isHeld = grace > 0 || metadata["finalizers"] is JsonArray { Count: > 0 } || type == BuiltInResources.Namespaces;
        if (!isHeld)
        {
            return false;
        }

        if (!wasMarked || grace < (long?)metadata["deletionGracePeriodSeconds"])
        {
            metadata["deletionTimestamp"] = wasMarked && grace == 0 ? metadata["deletionTimestamp"]!.DeepClone() : ManagedFields.Stamp(now.AddSeconds(grace));
            metadata["deletionGracePeriodSeconds"] = grace;
        }

        if (!wasMarked && type.HasGeneration)
        {
            metadata["generation"] = ((long?)metadata["generation"] ?? 1) + 1;
        }

        if (type == BuiltInResources.Namespaces)
        {
            (value["status"] ??= new JsonObject())["phase"] = "Terminating";
        }

        return true;
    }

    /// <summary>Whether a marked object has nothing left that holds it, so that the write that freed it removes it.</summary>
    public static bool IsFinished(ResourceType type, JsonObject value) =>
        value["metadata"]!["deletionTimestamp"] is not null
        && value["metadata"]!["finalizers"] is not JsonArray { Count: > 0 }
        && ((long?)value["metadata"]!["deletionGracePeriodSeconds"] ?? 0) == 0
        && (type != BuiltInResources.Namespaces || value["spec"]?["finalizers"] is not JsonArray { Count: > 0 });

    /// <summary>Only a pod that a node runs gets time to end; its node then deletes it with a grace period of 0.</summary>
    private static long Grace(ResourceType type, JsonObject value, DeleteOptions options)
    {
        if (type != BuiltInResources.Pods || string.IsNullOrEmpty((string?)value["spec"]?["nodeName"]) || (string?)value["status"]?["phase"] is "Succeeded" or "Failed")
        {
            return 0;
        }

        var wanted = options.GracePeriodSeconds ?? long.Parse(value["spec"]!["terminationGracePeriodSeconds"]?.ToString() ?? "30", CultureInfo.InvariantCulture);
        return (long?)value["metadata"]!["deletionGracePeriodSeconds"] is { } running && options.GracePeriodSeconds is null ? running : Math.Max(0, wanted);
    }
}
