using System.Globalization;
using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;

namespace Phi.LocalCluster.ApiServer.Apply;

/// <summary>Who owns which field: metadata.managedFields, read and written.</summary>
internal sealed class ManagedFields
{
    private static readonly FieldPath Status = FieldPath.Root.Then(FieldPath.Field("status"));
    private readonly List<Entry> _entries = [];

    private ManagedFields()
    {
    }

    internal sealed record Entry(string Manager, string Operation, string? Subresource, string ApiVersion, HashSet<FieldPath> Fields)
    {
        public string? Time { get; set; }
    }

    public IReadOnlyList<Entry> Entries => _entries;

    public static ManagedFields Read(JsonObject? value)
    {
        var managed = new ManagedFields();
        foreach (var entry in (value?["metadata"]?["managedFields"] as JsonArray ?? []).OfType<JsonObject>())
        {
            managed._entries.Add(new Entry(
                (string?)entry["manager"] ?? "",
                (string?)entry["operation"] ?? "Update",
                (string?)entry["subresource"],
                (string?)entry["apiVersion"] ?? "",
                FieldSet.FromFieldsV1(entry["fieldsV1"])) { Time = (string?)entry["time"] });
        }

        return managed;
    }

    public void Write(JsonObject value) =>
        value["metadata"]!["managedFields"] = new JsonArray([.. _entries.Where(entry => entry.Fields.Count > 0).Select(entry => new JsonObject
        {
            ["manager"] = entry.Manager,
            ["operation"] = entry.Operation,
            ["apiVersion"] = entry.ApiVersion,
            ["time"] = entry.Time,
            ["fieldsType"] = "FieldsV1",
            ["fieldsV1"] = FieldSet.ToFieldsV1(entry.Fields),
            ["subresource"] = entry.Subresource,
        })]);

    /// <summary>
    /// Gives the fields that a write (not an apply) changed to its manager, and takes them from all others; what the definition hides stays whose it is. The owners before it are those
    /// that the write names, as kubectl does when it turns a client-side apply into a server-side one; else those of the old object.
    /// </summary>
    public static void TrackUpdate(JsonObject? old, JsonObject value, ResourceType type, string manager, string? subresource, DateTimeOffset now)
    {
        var before = old is null ? [] : FieldSet.Leaves(old, type.Schema);
        var after = FieldSet.Leaves(value, type.Schema);
        var isStatusReset = subresource is null && type.HasStatus;
        var changed = after.Where(leaf => !(isStatusReset && leaf.Key.IsOrIsBelow(Status)) && (!before.TryGetValue(leaf.Key, out var was) || !JsonNode.DeepEquals(was, leaf.Value))).Select(leaf => leaf.Key).ToHashSet();
        var managed = Read(old is null || value["metadata"]!["managedFields"] is not JsonArray { Count: > 0 } ? old : value);
        foreach (var entry in managed._entries)
        {
            entry.Fields.RemoveWhere(path => changed.Contains(path) || (before.ContainsKey(path) && !after.ContainsKey(path)));
        }

        if (changed.Count > 0)
        {
            var own = managed.Own(manager, "Update", subresource, type.ApiVersion);
            own.Fields.UnionWith(changed);
            own.Time = Stamp(now);
        }

        managed.Write(value);
    }

    /// <summary>The entry of a manager; made if it is not there.</summary>
    public Entry Own(string manager, string operation, string? subresource, string apiVersion)
    {
        var own = _entries.Find(entry => entry.Manager == manager && entry.Operation == operation && entry.Subresource == subresource);
        if (own is null)
        {
            own = new Entry(manager, operation, subresource, apiVersion, []);
            _entries.Add(own);
        }

        return own;
    }

    public static string Stamp(DateTimeOffset now) => now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
