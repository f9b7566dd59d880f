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

        var leaves = FieldSet.Leaves(applied, type.Schema);
        var managed = ManagedFields.Read(live);
        var own = managed.Own(manager, "Apply", subresource, type.ApiVersion);
        Contend(live, leaves, managed, own, type, force);

        var merged = (live?.DeepClone() ?? new JsonObject()).AsObject();
        Merge(merged, applied, type.Schema, isRoot: true);
        var dropped = own.Fields.Where(path => !leaves.ContainsKey(path)).ToList();
        foreach (var path in dropped.OrderByDescending(path => path.Text.Length))
        {
            var isOwned = managed.Entries.Any(entry => entry != own && entry.Fields.Any(other => other == path || other.IsBelow(path)));
            if (!isOwned && !leaves.Keys.Any(leaf => leaf.IsBelow(path)))
            {
                Remove(merged, path.Elements, 0, type.Schema);
            }
        }

        own.Fields.Clear();
        own.Fields.UnionWith(leaves.Keys);
        own.Time = ManagedFields.Stamp(now);
        managed.Write(merged);
        return merged;
    }

    private static void Contend(JsonObject? live, Dictionary<FieldPath, JsonNode?> leaves, ManagedFields managed, ManagedFields.Entry own, ResourceType type, bool force)
    {
        var current = live is null ? [] : FieldSet.Leaves(live, type.Schema);
        var causes = new JsonArray();
        var conflicts = new List<string>();
        foreach (var entry in managed.Entries.Where(entry => entry != own))
        {
            var contended = leaves.Where(leaf => entry.Fields.Contains(leaf.Key) && !JsonNode.DeepEquals(current.GetValueOrDefault(leaf.Key), leaf.Value)).Select(leaf => leaf.Key).Order().ToList();
            if (force)
            {
                entry.Fields.ExceptWith(contended);
                continue;
            }

            foreach (var path in contended)
            {
                causes.Add((JsonNode)new JsonObject { ["reason"] = "FieldManagerConflict", ["message"] = $"conflict with \"{entry.Manager}\"{(entry.Operation == "Update" ? $" using {entry.ApiVersion}" : "")}", ["field"] = path.ToString() });
                conflicts.Add($"conflict with \"{entry.Manager}\": {path}");
            }
        }

        if (conflicts.Count > 0)
        {
            var many = conflicts.Count == 1 ? "1 conflict" : $"{conflicts.Count} conflicts";
            throw new ApiException(409, "Conflict", $"Apply failed with {many}: {string.Join("\n", conflicts)}", new JsonObject { ["causes"] = causes });
        }
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
                    var at = Index(list, FieldPath.Key(item, schema.ListMapKeys), schema);
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
            if ((element.StartsWith("k:", StringComparison.Ordinal) ? FieldPath.Key(items[i], schema.ListMapKeys) : FieldPath.Value(items[i])) == element)
            {
                return i;
            }
        }

        return -1;
    }
}
