using System.Text.Json.Nodes;
using Phi.Cli.Jobs;
using Phi.Cli.Output;

namespace Phi.Cli.Resources;

/// <summary>What <c>phi get</c> shows of each kind.</summary>
internal static class ResourceListings
{
    /// <param name="namespace">Null: the list is of all, and says which.</param>
    /// <param name="curves">A job's loss in one line, by its uid; null: no such column.</param>
    public static Listing<JobRow> Jobs(string? @namespace, DateTimeOffset now, IReadOnlyDictionary<string, string>? curves = null) => Of(
        ResourceKind.Job,
        @namespace,
        [
            .. Home<JobRow>(@namespace),
            new("NAME", job => job.Name),
            new("STATE", job => job.Phase),
            new("READY", job => job.Text("status", "ready") ?? TextTable.Nothing),
            new("STEP", job => job.TotalSteps is { } total ? TextTable.Cell($"{job.Step ?? 0}/{total}") : TextTable.Cell($"{job.Step}")),
            new("LOSS", job => TextTable.Cell($"{job.Loss:0.0000}")),
            new("TOKENS/S", job => TextTable.Cell($"{job.TokensPerSecond:0}")),
            new("RESTARTS", job => TextTable.Cell($"{job.Restarts}")),
            new("GOODPUT", job => TextTable.Cell($"{job.Goodput:P1}")),
            new("LEFT", job => job.Completed is null && job.EstimatedCompletion is { } end && end > now ? TextTable.Span(end - now) : TextTable.Nothing),
            new("QUEUE", job => job.Text("spec", "queue") ?? TextTable.Nothing, IsWide: true),
            new("ATTEMPT", job => TextTable.Cell($"{job.Number("status", "attempt")}"), IsWide: true),
            new("CHECKPOINT", job => job.CheckpointTime is { } saved ? TextTable.Cell($"{job.CheckpointStep} ({TextTable.Span(now - saved)})") : TextTable.Nothing, IsWide: true),
            new("NODES", job => job.Text("status", "nodes") ?? TextTable.Nothing, IsWide: true),
            Age<JobRow>(now),
            .. curves is null ? Array.Empty<Column<JobRow>>() : [new("LOSS SO FAR", job => curves.GetValueOrDefault(job.Uid, ""))],
        ],
        "submit one with phi submit MANIFEST");

    public static Listing<ResourceRow> Queues(DateTimeOffset now) => Of<ResourceRow>(
        ResourceKind.Queue,
        null,
        [
            new("NAME", queue => queue.Name),
            new("COHORT", queue => queue.Text("spec", "cohort") ?? TextTable.Nothing),
            new("PENDING", queue => TextTable.Cell($"{queue.Number("status", "pendingJobs") ?? 0}")),
            new("ADMITTED", queue => TextTable.Cell($"{queue.Number("status", "admittedJobs") ?? 0}")),
            new("USED", Used),
            new("ORDER", queue => queue.Text("spec", "order") ?? TextTable.Nothing, IsWide: true),
            Age<ResourceRow>(now),
        ],
        "a job without spec.queue needs none");

    public static Listing<ResourceRow> Crons(string? @namespace, DateTimeOffset now) => Of(
        ResourceKind.Cron,
        @namespace,
        [
            .. Home<ResourceRow>(@namespace),
            new("NAME", cron => cron.Name),
            new("SCHEDULE", cron => cron.Text("spec", "schedule") ?? TextTable.Nothing),
            new("TIME ZONE", cron => cron.Text("spec", "timeZone") ?? TextTable.Nothing),
            new("SUSPENDED", cron => cron.Text("spec", "suspend") == "true" ? "yes" : "no"),
            new("ACTIVE", cron => TextTable.Cell($"{(cron.Find("status", "active") as JsonArray)?.Count ?? 0}")),
            new("LAST", cron => cron.Time("status", "lastScheduleTime") is { } last ? TextTable.Span(now - last) : TextTable.Nothing),
            new("NEXT", cron => cron.Time("status", "nextScheduleTime") is { } next ? TextTable.Span(next - now) : TextTable.Nothing),
            new("MISSED", cron => TextTable.Cell($"{cron.Number("status", "missedRuns") ?? 0}"), IsWide: true),
            new("POLICY", cron => cron.Text("spec", "concurrencyPolicy") ?? TextTable.Nothing, IsWide: true),
            Age<ResourceRow>(now),
        ],
        "apply one with kubectl");

    private static Listing<T> Of<T>(ResourceKind kind, string? @namespace, IReadOnlyList<Column<T>> columns, string remedy)
        where T : ResourceRow => new()
        {
            Columns = columns,
            Name = row => kind.Prefix + row.Name,
            Data = rows => KubernetesList.Of(rows.Select(row => row.Value)),
            WhenEmpty = @namespace is null ? $"There is no {kind.Kind}; {remedy}." : $"There is no {kind.Kind} in namespace {@namespace}; -A lists those of all, or {remedy}.",
        };

    private static IEnumerable<Column<T>> Home<T>(string? @namespace)
        where T : ResourceRow => @namespace is null ? [new("NAMESPACE", row => row.Namespace)] : [];

    private static Column<T> Age<T>(DateTimeOffset now)
        where T : ResourceRow => new("AGE", row => row.Created is { } created ? TextTable.Span(now - created) : TextTable.Nothing);

    /// <summary>Such as "cpu 4/8": used and owned.</summary>
    private static string Used(ResourceRow queue)
    {
        var usage = (queue.Find("status", "usage") as JsonArray ?? []).OfType<JsonObject>().ToList();
        var parts = (queue.Find("spec", "quotas") as JsonArray ?? []).OfType<JsonObject>().Select(quota => $"{quota["acceleratorType"]} {Of(quota["acceleratorType"])}/{quota["nominal"]}");
        return string.Join(", ", parts) is { Length: > 0 } text ? text : TextTable.Nothing;

        string Of(JsonNode? type) => usage.Find(one => JsonNode.DeepEquals(one["acceleratorType"], type))?["used"]?.ToString() ?? "0";
    }
}
