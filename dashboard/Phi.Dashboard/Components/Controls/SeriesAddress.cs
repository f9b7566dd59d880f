using System.Globalization;
using Microsoft.AspNetCore.WebUtilities;
using Phi.Telemetry.Series;

namespace Phi.Dashboard.Components.Controls;

/// <summary>Where the numbers of a chart can be fetched as a file.</summary>
internal sealed record SeriesAddress(IEnumerable<string> Runs, ChartState State)
{
    public string Csv => QueryHelpers.AddQueryString("api/v1/series", new Dictionary<string, string?>
    {
        ["run"] = string.Join(',', Runs),
        ["metric"] = State.Metric,
        ["axis"] = State.Axis.ToString().ToLowerInvariant(),
        ["from"] = State.From?.ToString("R", CultureInfo.InvariantCulture),
        ["to"] = State.To?.ToString("R", CultureInfo.InvariantCulture),
        ["buckets"] = SeriesQuery.MostBuckets.ToString(CultureInfo.InvariantCulture),
        ["format"] = "csv",
    });
}
