using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Schemas;

namespace Phi.LocalCluster.ApiServer.Apply;

/// <summary>Which fields an object has, and the FieldsV1 form of such a set.</summary>
internal static class FieldSet
{
    private static readonly string[] ServerFields = ["name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "generateName", "selfLink"];

    /// <summary>Every leaf of an object and its value; identity and what the server sets are left out.</summary>
    public static Dictionary<FieldPath, JsonNode?> Leaves(JsonObject value, Schema schema)
    {
        var leaves = new Dictionary<FieldPath, JsonNode?>();
        foreach (var (name, child) in value)
        {
            if (name is "apiVersion" or "kind")
            {
                continue;
            }

            var path = FieldPath.Root.Then(FieldPath.Field(name));
            if (name == "metadata")
            {
                foreach (var (field, inner) in child as JsonObject ?? [])
                {
                    if (!ServerFields.Contains(field))
                    {
                        Collect(inner, Metadata(field), path.Then(FieldPath.Field(field)), leaves);
                    }
                }
            }
            else
            {
                Collect(child, schema.Child(name) ?? Schema.Any, path, leaves);
            }
        }

        return leaves;
    }

    /// <summary>How metadata's lists merge, whatever the object's schema says of metadata.</summary>
    public static Schema Metadata(string field) => field switch
    {
        "ownerReferences" => OwnerReferences,
        "finalizers" => Finalizers,
        _ => Schema.Any,
    };

    public static JsonObject ToFieldsV1(IEnumerable<FieldPath> paths)
    {
        var root = new JsonObject();
        foreach (var path in paths.Order())
        {
            var at = root;
            foreach (var element in path.Elements)
            {
                at = (at[element] ??= new JsonObject()).AsObject();
            }

            if (path.Elements[^1].StartsWith("k:", StringComparison.Ordinal))
            {
                at["."] = new JsonObject();
            }
        }

        return root;
    }

    public static HashSet<FieldPath> FromFieldsV1(JsonNode? fields)
    {
        var paths = new HashSet<FieldPath>();
        Read(fields as JsonObject ?? [], FieldPath.Root);
        return paths;

        void Read(JsonObject at, FieldPath path)
        {
            foreach (var (element, below) in at)
            {
                if (element == ".")
                {
                    paths.Add(path);
                }
                else if (below is JsonObject { Count: > 0 } more)
                {
                    Read(more, path.Then(element));
                }
                else
                {
                    paths.Add(path.Then(element));
                }
            }
        }
    }

    private static Schema OwnerReferences { get; } = Schema.Parse(new JsonObject
    {
        ["type"] = "array",
        ["x-kubernetes-list-type"] = "map",
        ["x-kubernetes-list-map-keys"] = new JsonArray("uid"),
        ["items"] = new JsonObject { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true },
    });

    private static Schema Finalizers { get; } = Schema.Parse(new JsonObject { ["type"] = "array", ["x-kubernetes-list-type"] = "set", ["items"] = new JsonObject { ["type"] = "string" } });

    private static void Collect(JsonNode? value, Schema schema, FieldPath path, Dictionary<FieldPath, JsonNode?> leaves)
    {
        schema = schema.Resolved;
        switch (value)
        {
            case JsonObject { Count: > 0 } members when schema.MapType != "atomic":
                foreach (var (name, child) in members)
                {
                    Collect(child, schema.Child(name) ?? Schema.Any, path.Then(FieldPath.Field(name)), leaves);
                }

                break;
            case JsonArray items when schema.ListType == "map":
                foreach (var item in items)
                {
                    var at = path.Then(FieldPath.Key(item, schema));
                    leaves[at] = null;
                    Collect(item, schema.Items ?? Schema.Any, at, leaves);
                }

                break;
            case JsonArray items when schema.ListType == "set":
                foreach (var item in items)
                {
                    leaves[path.Then(FieldPath.Value(item))] = item;
                }

                break;
            default:
                leaves[path] = value;
                break;
        }
    }
}
