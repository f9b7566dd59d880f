using Microsoft.EntityFrameworkCore;
using Phi.Telemetry.Model;
using Phi.Telemetry.Series;

namespace Phi.Telemetry.Store;

/// <summary>Reads the <c>comm_…</c> metrics of all ranks together.</summary>
internal static class TrafficQuery
{
    private const string Prefix = "comm_";
    private const string BytesPrefix = "comm_bytes_";
    private const string Busy = "comm_seconds";
    private const string Exposed = "comm_exposed_seconds";
    private const string Within = "_intra";
    private const string Across = "_inter";

    /// <param name="steps">Newest steps to take the mean of.</param>
    public static async Task<TrafficData?> RunAsync(TelemetryContext context, string runId, int steps, CancellationToken ct)
    {
        var newest = await context.Series.Where(series => series.RunId == runId && series.Metric == Busy).MaxAsync(series => (int?)series.Attempt, ct);
        if (newest is not { } attempt)
        {
            return null;
        }

        var lastOfRank = await context.Series.Where(series => series.RunId == runId && series.Metric == Busy && series.Attempt == attempt)
            .Select(series => context.Points.Where(point => point.SeriesId == series.Id).Max(point => (long?)point.Step))
            .ToListAsync(ct);
        // Ranks report in batches of their own pod's time: later steps lack some of them.
        var last = lastOfRank.Min() ?? 0;
        var sums = await (from series in context.Series
                          join point in context.Points on series.Id equals point.SeriesId
                          where series.RunId == runId && series.Attempt == attempt && series.Metric.StartsWith(Prefix) && point.Step > last - steps && point.Step <= last
                          group point by series.Metric into metric
                          select new { metric.Key, Sum = metric.Sum(point => point.Value), First = metric.Min(point => point.Step) })
            .ToDictionaryAsync(metric => metric.Key, metric => (metric.Sum, metric.First), ct);
        var first = sums.TryGetValue(Busy, out var busy) ? busy.First : last;
        return new TrafficData
        {
            Attempt = attempt,
            FirstStep = first,
            LastStep = last,
            Ranks = lastOfRank.Count,
            Collectives = Collectives(sums.ToDictionary(metric => metric.Key, metric => metric.Value.Sum / (last - first + 1))),
            HiddenShare = busy.Sum > 0 ? Math.Clamp(1 - sums.GetValueOrDefault(Exposed).Sum / busy.Sum, 0, 1) : null,
        };
    }

    private static List<CollectiveTraffic> Collectives(Dictionary<string, double> perStep) =>
    [
        .. from name in perStep.Keys.Where(name => name.StartsWith(BytesPrefix, StringComparison.Ordinal)).Select(name => name[BytesPrefix.Length..name.LastIndexOf('_')]).Distinct()
           let collective = new CollectiveTraffic(name.Replace('_', '-'), perStep.GetValueOrDefault(BytesPrefix + name + Within), perStep.GetValueOrDefault(BytesPrefix + name + Across))
           where collective.WithinNodes + collective.AcrossNodes > 0
           orderby collective.WithinNodes + collective.AcrossNodes descending, name
           select collective,
    ];
}
