using System.Globalization;
using System.Text.Json.Nodes;

namespace Phi.Cli.Submission;

/// <summary>In which fields two versions of an object differ, beside those that the API server keeps for itself.</summary>
internal static class ObjectDifference
{
    private static readonly string[] ServersOwn = ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"];

    /// <param name="before">Null: the object is new.</param>
    public static IReadOnlyList<FieldChange> Of(JsonObject? before, JsonObject after)
    {
        var changes = new List<FieldChange>();
        Compare("", before is null ? null : Own(before), Own(after), changes);
        return changes;
    }

    private static JsonObject Own(JsonObject value)
    {
        var copy = value.DeepClone().AsObject();
        copy.Remove("status");
        foreach (var name in ServersOwn)
        {
            (copy["metadata"] as JsonObject)?.Remove(name);
        }

        return copy;
    }

    private static void Compare(string path, JsonNode? before, JsonNode? after, List<FieldChange> changes)
    {
        if (before is JsonObject or null && after is JsonObject or null && (before is not null || after is not null))
        {
            var (old, next) = (before as JsonObject ?? [], after as JsonObject ?? []);
            if (old.Count == 0 && next.Count == 0)
            {
                // {} against nothing: such a block can be a choice.
                Add(path, before, after, changes);
                return;
            }

            foreach (var name in old.Select(pair => pair.Key).Union(next.Select(pair => pair.Key)))
            {
                Compare(path.Length == 0 ? name : $"{path}{Step(name)}", old[name], next[name], changes);
            }
        }
        else if (before is JsonArray first && after is JsonArray second && first.Count == second.Count)
        {
            for (var i = 0; i < first.Count; i++)
            {
                Compare(string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"), first[i], second[i], changes);
            }
        }
        else
        {
            Add(path, before, after, changes);
        }
    }

    private static void Add(string path, JsonNode? before, JsonNode? after, List<FieldChange> changes)
    {
        if (!JsonNode.DeepEquals(before, after))
        {
            changes.Add(new FieldChange(path, before?.DeepClone(), after?.DeepClone()));
        }
    }

    /// <summary>Names with dots or slashes, such as those of labels, in brackets.</summary>
    private static string Step(string name) => name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') ? $".{name}" : $"['{name}']";
}

/// <param name="Before">Null: the field is new.</param>
/// <param name="After">Null: the field goes.</param>
internal sealed record FieldChange(string Path, JsonNode? Before, JsonNode? After);
