using System.Text.Json;
using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;

namespace Phi.LocalCluster.ApiServer.Apply;

/// <summary>
/// What kubectl's client-side apply left in an object (kubernetes.io, "Upgrading from client-side apply to server-side apply"): kubectl's
/// first server-side apply takes over those fields without a conflict.
/// </summary>
internal static class ClientSideApply
{
    private const string Manager = "kubectl";
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";

    /// <summary>The fields that kubectl applied before and that nobody has changed since; empty for any other manager.</summary>
    public static HashSet<FieldPath> Held(JsonObject? live, Dictionary<FieldPath, JsonNode?> current, ResourceType type, string manager)
    {
        if (manager != Manager || (string?)live?["metadata"]?["annotations"]?[LastApplied] is not { } text || Parse(text) is not { } applied)
        {
            return [];
        }

        return [.. FieldSet.Leaves(applied, type.Schema).Where(leaf => current.TryGetValue(leaf.Key, out var now) && JsonNode.DeepEquals(now, leaf.Value)).Select(leaf => leaf.Key)];
    }

    private static JsonObject? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
