using System.Text.Json.Nodes;

namespace Phi.LocalCluster.ApiServer.Schemas;

/// <summary>Fills in defaults and removes what the schema does not know, in place.</summary>
internal static class SchemaDefaults
{
    private static readonly string[] ObjectFields = ["apiVersion", "kind", "metadata"];

    /// <summary>As the API server does: a default fills an absent field, and a null one if the field may not be null.</summary>
    public static void Apply(JsonNode? value, Schema schema)
    {
        schema = schema.Resolved;
        switch (value)
        {
            case JsonObject members:
                foreach (var (name, child) in schema.Properties)
                {
                    if (child.Resolved.Default is { } preset && (!members.TryGetPropertyValue(name, out var there) || (there is null && !child.Resolved.Nullable)))
                    {
                        members[name] = preset.DeepClone();
                    }
                }

                foreach (var (name, child) in members)
                {
                    if (child is not null && schema.Child(name) is { } below)
                    {
                        Apply(child, below);
                    }
                }

                break;
            case JsonArray items when schema.Items is { } each:
                foreach (var item in items)
                {
                    Apply(item, each);
                }

                break;
        }
    }

    /// <summary>A null field of a built-in type is an absent one, as Go's decoder takes it.</summary>
    public static void RemoveNulls(JsonNode? value)
    {
        switch (value)
        {
            case JsonObject members:
                foreach (var (name, child) in members.ToList())
                {
                    if (child is null)
                    {
                        members.Remove(name);
                    }
                    else
                    {
                        RemoveNulls(child);
                    }
                }

                break;
            case JsonArray items:
                foreach (var item in items)
                {
                    RemoveNulls(item);
                }

                break;
        }
    }

    /// <summary>Removes unknown fields and returns their paths.</summary>
    public static void Prune(JsonNode? value, Schema schema, bool isObjectRoot, string path, List<string> unknown)
    {
        schema = schema.Resolved;
        switch (value)
        {
            case JsonObject members:
                foreach (var name in members.Select(pair => pair.Key).ToList())
                {
                    var at = path.Length == 0 ? name : $"{path}.{name}";
                    if ((isObjectRoot || schema.EmbeddedResource) && ObjectFields.Contains(name))
                    {
                        continue;
                    }

                    if (schema.Child(name) is { } child)
                    {
                        Prune(members[name], child, false, at, unknown);
                    }
                    else if (!schema.PreserveUnknown)
                    {
                        members.Remove(name);
                        unknown.Add(at);
                    }
                }

                break;
            case JsonArray items when schema.Items is { } each:
                foreach (var (index, item) in items.Index())
                {
                    Prune(item, each, false, $"{path}[{index}]", unknown);
                }

                break;
        }
    }
}
