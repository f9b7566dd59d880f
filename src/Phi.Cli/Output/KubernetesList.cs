using System.Text.Json.Nodes;

namespace Phi.Cli.Output;

/// <summary>Objects as kubectl writes them for programs.</summary>
internal static class KubernetesList
{
    public static JsonObject Of(IEnumerable<JsonObject> items) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "List",
        ["metadata"] = new JsonObject(),
        ["items"] = new JsonArray([.. items.Select(One)]),
    };

    /// <summary>Without the record of who owns which field, which is long and for the API server.</summary>
    public static JsonObject One(JsonObject item)
    {
        var copy = item.DeepClone().AsObject();
        (copy["metadata"] as JsonObject)?.Remove("managedFields");
        return copy;
    }
}
