using System.Globalization;
using System.Text.Json.Nodes;

namespace Phi.LocalCluster.ApiServer.Patching;

/// <summary>JSON patch (RFC 6902) with pointers of RFC 6901.</summary>
internal static class JsonPatch
{
    /// <summary>The patched copy.</summary>
    /// <exception cref="PatchException">An operation does not apply; none is kept.</exception>
    public static JsonNode? Apply(JsonNode target, JsonNode? patch)
    {
        if (patch is not JsonArray operations)
        {
            throw new PatchException("a JSON patch is an array of operations");
        }

        var root = new JsonObject { ["root"] = target.DeepClone() };
        foreach (var operation in operations.OfType<JsonObject>())
        {
            Apply(root, operation);
        }

        return root["root"]?.DeepClone();
    }

    private static void Apply(JsonObject root, JsonObject operation)
    {
        var path = Text(operation, "path");
        switch (Text(operation, "op"))
        {
            case "add":
                Add(root, path, operation["value"]?.DeepClone());
                break;
            case "remove":
                Remove(root, path);
                break;
            case "replace":
                Remove(root, path);
                Add(root, path, operation["value"]?.DeepClone());
                break;
            case "move":
                var moved = Find(root, Text(operation, "from"))?.DeepClone();
                Remove(root, Text(operation, "from"));
                Add(root, path, moved);
                break;
            case "copy":
                Add(root, path, Find(root, Text(operation, "from"))?.DeepClone());
                break;
            case "test":
                if (!JsonNode.DeepEquals(Find(root, path), operation["value"]))
                {
                    throw new PatchException($"testing value {path} failed");
                }

                break;
            case var other:
                throw new PatchException($"'{other}' is no operation; use add, remove, replace, move, copy or test");
        }
    }

    private static string Text(JsonObject operation, string name) =>
        operation[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : throw new PatchException($"an operation lacks '{name}'");

    private static JsonNode? Find(JsonObject root, string path)
    {
        var (parent, last) = Parent(root, path);
        return parent switch
        {
            JsonObject there when there.ContainsKey(last) => there[last],
            JsonArray list => list[Index(list, last, list.Count - 1)],
            _ => throw Missing(path),
        };
    }

    private static void Add(JsonObject root, string path, JsonNode? value)
    {
        switch (Parent(root, path))
        {
            case (JsonObject parent, var last):
                parent[last] = value;
                break;
            case (JsonArray list, "-"):
                list.Add(value);
                break;
            case (JsonArray list, var last):
                list.Insert(Index(list, last, list.Count), value);
                break;
            default:
                throw Missing(path);
        }
    }

    private static void Remove(JsonObject root, string path)
    {
        switch (Parent(root, path))
        {
            case (JsonObject parent, var last) when parent.Remove(last):
                break;
            case (JsonArray list, var last):
                list.RemoveAt(Index(list, last, list.Count - 1));
                break;
            default:
                throw Missing(path);
        }
    }

    private static (JsonNode? Parent, string Last) Parent(JsonObject root, string path)
    {
        if (path.Length > 0 && path[0] != '/')
        {
            throw new PatchException($"'{path}' is no pointer; it starts with '/'");
        }

        string[] parts = ["root", .. path.Split('/').Skip(1).Select(part => part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))];
        JsonNode? at = root;
        foreach (var part in parts[..^1])
        {
            at = at switch
            {
                JsonObject there => there[part],
                JsonArray list => list[Index(list, part, list.Count - 1)],
                _ => throw Missing(path),
            };
        }

        return (at, parts[^1]);
    }

    private static int Index(JsonArray list, string part, int most) =>
        int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index <= most
            ? index
            : throw new PatchException($"'{part}' is no index of a list of {list.Count}");

    private static PatchException Missing(string path) => new($"the path '{path}' does not exist");
}
