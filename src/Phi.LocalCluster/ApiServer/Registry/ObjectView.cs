using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Schemas;

namespace Phi.LocalCluster.ApiServer.Registry;

/// <summary>
/// Stored objects as a served version shows them. A definition may change under its objects: until an object is written next, the store keeps it as it was, and whoever reads it
/// sees no field that the definition does not know and every default that it has (kubernetes.io, "Extend the Kubernetes API with CustomResourceDefinitions": pruning, defaulting).
/// </summary>
internal static class ObjectView
{
    /// <summary>A stored object never changes, and a definition that does makes another schema; so each pair is looked at once.</summary>
    private static readonly ConditionalWeakTable<JsonObject, View> Seen = [];

    /// <summary>The stored object itself where it is as the version shows it.</summary>
    public static JsonObject Of(ResourceType type, JsonObject stored)
    {
        if (type.Group == "events.k8s.io")
        {
            return EventConversion.FromCore(stored);
        }

        if (!type.IsCustom)
        {
            return (string?)stored["apiVersion"] == type.ApiVersion ? stored : Shape(type, stored);
        }

        if (Seen.TryGetValue(stored, out var seen) && seen.Schema == type.Schema)
        {
            return seen.Value;
        }

        var shown = Shape(type, stored);
        shown = JsonNode.DeepEquals(shown, stored) ? stored : shown;
        Seen.AddOrUpdate(stored, new View(type.Schema, shown));
        return shown;
    }

    /// <summary>What was just written has been looked at by the same schema.</summary>
    public static void Remember(ResourceType type, JsonObject written)
    {
        if (type.IsCustom && (string?)written["apiVersion"] == type.ApiVersion)
        {
            Seen.AddOrUpdate(written, new View(type.Schema, written));
        }
    }

    private static JsonObject Shape(ResourceType type, JsonObject stored)
    {
        var shown = stored.DeepClone().AsObject();
        shown["apiVersion"] = type.ApiVersion;
        if (type.IsCustom)
        {
            SchemaDefaults.Prune(shown, type.Schema, isObjectRoot: true, "", []);
            SchemaDefaults.Apply(shown, type.Schema);
        }

        return shown;
    }

    private sealed record View(Schema Schema, JsonObject Value);
}
