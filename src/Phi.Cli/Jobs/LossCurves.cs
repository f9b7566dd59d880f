using Phi.Cli.Output;
using Phi.Telemetry.Series;
using Phi.Telemetry.Store;

namespace Phi.Cli.Jobs;

/// <summary>The loss of each job so far, in one line.</summary>
internal static class LossCurves
{
    private const int Width = 32;

    public static async Task<IReadOnlyDictionary<string, string>> ReadAsync(TelemetryStore store, IEnumerable<string> uids, CancellationToken ct)
    {
        var curves = new Dictionary<string, string>();
        foreach (var uid in uids)
        {
            var loss = await store.SeriesAsync(new SeriesQuery { Run = uid, Metric = "loss", Buckets = Width }, ct);
            curves[uid] = Sparkline.Of(loss.Columns.Average);
        }

        return curves;
    }
}
