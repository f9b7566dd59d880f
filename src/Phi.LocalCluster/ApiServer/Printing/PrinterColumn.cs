using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Phi.LocalCluster.ApiServer.Printing;

/// <summary>One column of table output.</summary>
/// <param name="Priority">Above 0: only in wide output.</param>
/// <param name="Cell">The cell's value for an object, given the current time.</param>
internal sealed record PrinterColumn(string Name, string Type, string Format, int Priority, string Description, Func<JsonObject, DateTimeOffset, JsonNode?> Cell)
{
    public static PrinterColumn NameColumn { get; } =
        new("Name", "string", "name", 0, "Name must be unique within a namespace.", (value, _) => (string?)value["metadata"]?["name"]);

    public static PrinterColumn AgeColumn { get; } =
        new("Age", "string", "", 0, "Time since the object was created.", (value, now) => Age(value["metadata"]?["creationTimestamp"], now));

    /// <summary>The columns of a definition's version: its own, or Age alone.</summary>
    public static IReadOnlyList<PrinterColumn> OfDefinition(JsonArray? columns) =>
        [NameColumn, .. columns is null or { Count: 0 } ? [AgeColumn] : columns.Select(column => FromPath(column!.AsObject()))];

    public static PrinterColumn Text(string name, Func<JsonObject, string?> cell, int priority = 0) =>
        new(name, "string", "", priority, name, (value, _) => cell(value) ?? "<none>");

    /// <summary>Time since a timestamp as kubectl shows it; &lt;unknown&gt; if there is none.</summary>
    public static string Age(JsonNode? timestamp, DateTimeOffset now) =>
        timestamp is not null && DateTimeOffset.TryParse((string?)timestamp, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? HumanDuration(now - time)
            : "<unknown>";

    /// <summary>As k8s.io/apimachinery's duration.HumanDuration: two units at most, fewer the longer.</summary>
    public static string HumanDuration(TimeSpan time)
    {
        var seconds = (long)time.TotalSeconds;
        var (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
        return seconds switch
        {
            < -1 => "<invalid>",
            < 0 => "0s",
            < 120 => $"{seconds}s",
            < 600 => Two(minutes, "m", seconds % 60, "s"),
            < 3 * 3600 => $"{minutes}m",
            < 8 * 3600 => Two(hours, "h", minutes % 60, "m"),
            < 2 * 86400 => $"{hours}h",
            < 8 * 86400 => Two(days, "d", hours % 24, "h"),
            < 2 * 365 * 86400L => $"{days}d",
            < 8 * 365 * 86400L => Two(days / 365, "y", days % 365, "d"),
            _ => $"{days / 365}y",
        };

        static string Two(long large, string largeUnit, long small, string smallUnit) => small == 0 ? $"{large}{largeUnit}" : $"{large}{largeUnit}{small}{smallUnit}";
    }

    private static PrinterColumn FromPath(JsonObject column)
    {
        var path = JsonPath.Parse((string)column["jsonPath"]!);
        var type = (string?)column["type"] ?? "string";
        return new PrinterColumn(
            (string)column["name"]!,
            type,
            (string?)column["format"] ?? "",
            (int?)column["priority"] ?? 0,
            (string?)column["description"] ?? $"Custom resource definition column (in JSONPath format): {(string?)column["jsonPath"]}",
            (value, now) => path.Select(value) is [var found, ..] ? Convert(found, type, now) : null);
    }

    private static JsonNode? Convert(JsonNode found, string type, DateTimeOffset now) => type switch
    {
        "date" => Age(found, now),
        "integer" or "number" when found.GetValueKind() == JsonValueKind.Number => found.DeepClone(),
        "string" when found.GetValueKind() == JsonValueKind.String => (string?)found,
        _ => found.ToJsonString(),
    };
}
