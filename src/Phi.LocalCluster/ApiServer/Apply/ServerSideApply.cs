using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Schemas;

namespace Phi.LocalCluster.ApiServer.Apply;

/// <summary>
/// Server-side apply (kubernetes.io, "Server-Side Apply"): the applied fields become the manager's, those that it no longer applies and
/// that nobody else owns go, and another owner's different value is a conflict unless forced.
/// </summary>
internal static class ServerSideApply
{
    /// <summary>The object after the apply; a new object if there is no live one.</summary>
    public static JsonObject Apply(JsonObject? live, JsonObject applied, ResourceType type, string manager, string? subresource, bool force, DateTimeOffset now)
    {
        if (applied["metadata"]?["managedFields"] is not null)
        {
            throw ApiException.BadRequest("metadata.managedFields must be nil");
        }

        applied = Writable(applied, type, subresource);
        var leaves = FieldSet.Leaves(applied, type.Schema);
        var managed = ManagedFields.Read(live);
        if (live is not null && managed.Entries.Count == 0)
        {
            // Written by something that tracks no fields: whoever wrote it owns them all.
            managed.Own("before-first-apply", "Update", null, type.ApiVersion).Fields.UnionWith(FieldSet.Leaves(live, type.Schema).Keys);
        }

        var own = managed.Own(manager, "Apply", subresource, type.ApiVersion);
        Contend(live, leaves, managed, own, type, force);

        var merged = (live?.DeepClone() ?? new JsonObject()).AsObject();
        Merge(merged, applied, type.Schema, isRoot: true);
        RemoveDropped(merged, leaves, managed, own, type);
        own.Fields.Clear();
        own.Fields.UnionWith(leaves.Keys);
        own.Time = ManagedFields.Stamp(now);
        managed.Write(merged);
        return merged;
    }

    private static void Contend(JsonObject? live, Dictionary<FieldPath, JsonNode?> leaves, ManagedFields managed, ManagedFields.Entry own, ResourceType type, bool force)
    {
        var current = live is null ? [] : FieldSet.Leaves(live, type.Schema);
        var contended = managed.Entries.Where(entry => entry != own)
            .Select(entry => (Entry: entry, Paths: leaves.Where(leaf => entry.Fields.Contains(leaf.Key) && !IsThere(leaf.Key, leaf.Value, current)).Select(leaf => leaf.Key).Order().ToList()))
            .Where(entry => entry.Paths.Count > 0).ToList();
        if (contended.Count == 0)
        {
            return;
        }

        if (!force && !contended.SelectMany(entry => entry.Paths).All(ClientSideApply.Held(live, current, type, own.Manager).Contains))
        {
            throw Conflict([.. contended.SelectMany(entry => entry.Paths.Select(path => (Show(entry.Entry), path)))]);
        }

        foreach (var (entry, paths) in contended)
        {
            entry.Fields.ExceptWith(paths);
        }
    }

    /// <summary>A field that is gone from the object, with its definition's for one, is still whose it was. An empty object is there too where others have filled it.</summary>
    private static bool IsThere(FieldPath path, JsonNode? value, Dictionary<FieldPath, JsonNode?> current) => current.TryGetValue(path, out var now)
        ? JsonNode.DeepEquals(now, value)
        : value is null || (value is JsonObject { Count: 0 } && current.Keys.Any(leaf => leaf.IsBelow(path)));

    private static ApiException Conflict(List<(string Manager, FieldPath Path)> conflicts)
    {
        var causes = new JsonArray([.. conflicts.Select(conflict => new JsonObject { ["reason"] = "FieldManagerConflict", ["message"] = $"conflict with {conflict.Manager}", ["field"] = conflict.Path.ToString() })]);
        var message = conflicts is [var only]
            ? $"Apply failed with 1 conflict: conflict with {only.Manager}: {only.Path}"
            : $"Apply failed with {conflicts.Count} conflicts: {string.Join('\n', conflicts.GroupBy(conflict => conflict.Manager).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => $"conflicts with {group.Key}:\n{string.Join('\n', group.Select(conflict => $"- {conflict.Path}"))}"))}";
        return new ApiException(409, "Conflict", message, new JsonObject { ["causes"] = causes });
    }

    private static string Show(ManagedFields.Entry entry) =>
        $"\"{entry.Manager}\"{(entry.Subresource is null ? "" : $" with subresource \"{entry.Subresource}\"")}{(entry.Operation == "Update" ? $" using {entry.ApiVersion}" : "")}";

    /// <summary>Of an applied object what its path may write: the status at the subresource, all else at the object. The rest is not owned either.</summary>
    private static JsonObject Writable(JsonObject applied, ResourceType type, string? subresource)
    {
        if (!type.HasStatus || (subresource is null && applied["status"] is null))
        {
            return applied;
        }

        var value = applied.DeepClone().AsObject();
        if (subresource is null)
        {
            value.Remove("status");
            return value;
        }

        var metadata = applied["metadata"];
        return new JsonObject(value.Where(field => field.Key is "apiVersion" or "kind" or "status").Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone())))
        {
            ["metadata"] = new JsonObject { ["name"] = metadata?["name"]?.DeepClone(), ["namespace"] = metadata?["namespace"]?.DeepClone() },
        };
    }

    private static void Merge(JsonObject into, JsonObject from, Schema schema, bool isRoot = false)
    {
        foreach (var (name, value) in from)
        {
            var child = isRoot && name == "metadata" ? Schema.Any : schema.Child(name) ?? Schema.Any;
            into[name] = Merge(into[name], value, child, isRoot && name == "metadata");
        }
    }

    private static JsonNode? Merge(JsonNode? into, JsonNode? from, Schema schema, bool isMetadata)
    {
        schema = schema.Resolved;
        switch (from)
        {
            case JsonObject members when schema.MapType != "atomic":
                var merged = into is JsonObject there ? there.DeepClone().AsObject() : [];
                foreach (var (name, value) in members)
                {
                    merged[name] = Merge(merged[name], value, isMetadata ? FieldSet.Metadata(name) : schema.Child(name) ?? Schema.Any, false);
                }

                return merged;
            case JsonArray items when schema.ListType == "map":
                var list = into is JsonArray present ? present.DeepClone().AsArray() : [];
                foreach (var item in items)
                {
                    var at = Index(list, FieldPath.Key(item, schema), schema);
                    var value = Merge(at < 0 ? null : list[at], item, schema.Items ?? Schema.Any, false);
                    if (at < 0)
                    {
                        list.Add(value);
                    }
                    else
                    {
                        list[at] = value;
                    }
                }

                return list;
            case JsonArray items when schema.ListType == "set":
                var set = into is JsonArray current ? current.DeepClone().AsArray() : [];
                foreach (var item in items.Where(item => !set.Any(member => JsonNode.DeepEquals(member, item))))
                {
                    set.Add(item?.DeepClone());
                }

                return set;
            default:
                return from?.DeepClone();
        }
    }

    /// <summary>
    /// Removes what the manager no longer applies and nobody else owns. Parents come first: an item goes as a whole, since without its
    /// keys it would not be found any more.
    /// </summary>
    private static void RemoveDropped(JsonObject merged, Dictionary<FieldPath, JsonNode?> leaves, ManagedFields managed, ManagedFields.Entry own, ResourceType type)
    {
        var removed = new List<FieldPath>();
        foreach (var path in own.Fields.Where(path => !leaves.ContainsKey(path)).OrderBy(path => path.Text.Length))
        {
            var isOwned = managed.Entries.Any(entry => entry != own && entry.Fields.Any(other => other.IsOrIsBelow(path)));
            if (!isOwned && !path.IsKeyOfItem && !removed.Exists(parent => path.IsBelow(parent)) && !leaves.Keys.Any(leaf => leaf.IsBelow(path)))
            {
                Remove(merged, path.Elements, 0, type.Schema);
                removed.Add(path);
            }
        }
    }

    /// <summary>Removes what a path names, and the parents that this leaves empty.</summary>
    private static void Remove(JsonNode? at, IReadOnlyList<string> path, int depth, Schema schema)
    {
        schema = schema.Resolved;
        var (element, isLast) = (path[depth], depth == path.Count - 1);
        if (at is JsonObject members && element.StartsWith("f:", StringComparison.Ordinal))
        {
            var name = element[2..];
            var child = depth == 1 && path[0] == "f:metadata" ? FieldSet.Metadata(name) : schema.Child(name) ?? Schema.Any;
            if (!isLast)
            {
                Remove(members[name], path, depth + 1, child);
            }

            if (isLast || members[name] is JsonObject { Count: 0 } or JsonArray { Count: 0 })
            {
                members.Remove(name);
            }
        }
        else if (at is JsonArray items)
        {
            var index = Index(items, element, schema);
            if (index >= 0 && isLast)
            {
                items.RemoveAt(index);
            }
            else if (index >= 0)
            {
                Remove(items[index], path, depth + 1, schema.Items ?? Schema.Any);
            }
        }
    }

    private static int Index(JsonArray items, string element, Schema schema)
    {
        for (var i = 0; i < items.Count; i++)
        {
            if ((element.StartsWith("k:", StringComparison.Ordinal) ? FieldPath.Key(items[i], schema) : FieldPath.Value(items[i])) == element)
            {
                return i;
            }
        }

        return -1;
    }
}
