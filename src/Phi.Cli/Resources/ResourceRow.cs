using System.Globalization;
using System.Text.Json.Nodes;

namespace Phi.Cli.Resources;

/// <summary>
/// What a list shows of an object. It is read from the JSON directly: to learn the wire types of a whole job takes longer than everything
/// else that a list of jobs does.
/// </summary>
internal record ResourceRow(JsonObject Value)
{
    public string Namespace => Text("metadata", "namespace") ?? "";

    public string Name => Text("metadata", "name") ?? "";

    public string Uid => Text("metadata", "uid") ?? "";

    public DateTimeOffset? Created => Time("metadata", "creationTimestamp");

    public string? Text(params ReadOnlySpan<string> path) => Find(path) is JsonValue value ? value.ToString() : null;

    public double? Number(params ReadOnlySpan<string> path) => double.TryParse(Text(path), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    public DateTimeOffset? Time(params ReadOnlySpan<string> path) =>
        DateTimeOffset.TryParse(Text(path), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    public JsonNode? Find(params ReadOnlySpan<string> path)
    {
        JsonNode? node = Value;
        foreach (var name in path)
        {
            node = (node as JsonObject)?[name];
        }

        return node;
    }
}
