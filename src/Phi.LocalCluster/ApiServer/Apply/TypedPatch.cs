using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Schemas;

namespace Phi.LocalCluster.ApiServer.Apply;

/// <summary>
/// An applied object that has a field which its type does not have is refused before anything else is looked at, whatever
/// <c>fieldValidation</c> says: nobody could own it. kube-apiserver answers so too, with 500 and no reason.
/// </summary>
internal static class TypedPatch
{
    public static void Check(JsonObject applied, ResourceType type)
    {
        var unknown = new List<string>();
        Fields(applied, type.Schema, isRoot: true, FieldPath.Root, unknown);
        if (unknown.Count == 0)
        {
            return;
        }

        var errors = unknown.Select(path => $"{path}: field not declared in schema").ToList();
        var (metadata, kind) = (applied["metadata"], $"{(type.Group.Length == 0 ? "/" : "")}{type.ApiVersion}, Kind={type.Kind}");
        throw new ApiException(500, reason: null, $"failed to create typed patch object ({(string?)metadata?["namespace"]}/{(string?)metadata?["name"]}; {kind}): {(errors is [var only] ? only : $"errors:\n  {string.Join("\n  ", errors)}")}");
    }

    private static void Collect(JsonNode? value, Schema schema, FieldPath path, List<string> unknown)
    {
        schema = schema.Resolved;
        switch (value)
        {
            case JsonObject members:
                Fields(members, schema, schema.EmbeddedResource, path, unknown);
                break;
            case JsonArray items when schema.Items is { } each:
                foreach (var (index, item) in items.Index())
                {
                    Collect(item, each, path.Then(schema.ListType == "map" ? FieldPath.Key(item, schema) : FieldPath.Index(index)), unknown);
                }

                break;
        }
    }

    private static void Fields(JsonObject members, Schema schema, bool isRoot, FieldPath path, List<string> unknown)
    {
        foreach (var (name, child) in members)
        {
            var at = path.Then(FieldPath.Field(name));
            if (isRoot && name is ("apiVersion" or "kind" or "metadata"))
            {
                continue;
            }

            if (schema.Child(name) is { } below)
            {
                Collect(child, below, at, unknown);
            }
            else if (!schema.PreserveUnknown)
            {
                unknown.Add(at.ToString());
            }
        }
    }
}
