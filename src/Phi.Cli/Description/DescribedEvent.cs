using System.Text.Json.Nodes;
using Phi.Cli.Resources;

namespace Phi.Cli.Description;

/// <summary>One event, as often as it happened.</summary>
internal sealed record DescribedEvent(string Type, string Reason, string Message, long Count, DateTimeOffset? Last)
{
    public static DescribedEvent Of(JsonObject value)
    {
        var row = new ResourceRow(value);
        return new DescribedEvent(
            row.Text("type") ?? "",
            row.Text("reason") ?? "",
            row.Text("message") ?? "",
            (long)(row.Number("series", "count") ?? row.Number("count") ?? 1),
            row.Time("series", "lastObservedTime") ?? row.Time("lastTimestamp") ?? row.Time("eventTime") ?? row.Created);
    }
}
