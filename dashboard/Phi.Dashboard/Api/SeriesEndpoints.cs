using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Phi.Api.Metadata;
using Phi.Telemetry.Store;

namespace Phi.Dashboard.Api;

/// <summary>What the chart's island fetches.</summary>
internal static class SeriesEndpoints
{
    private const int MostBuckets = 10_000;

    /// <summary>
    /// <c>GET /api/v1/series?run=UID&amp;metric=loss&amp;rank=0&amp;buckets=1000</c>: the effective curve as columns of equal length
    /// (steps, minimum, maximum, average, last), the attempts' ranges, and the steps whose value is not finite.
    /// </summary>
    public static void MapSeries(this IEndpointRouteBuilder routes, TelemetryStore store) => routes.MapGet("/api/v1/series", async (HttpContext http) =>
    {
        var query = http.Request.Query;
        var (run, metric) = ((string?)query["run"], (string?)query["metric"] ?? "loss");
        if (string.IsNullOrEmpty(run))
        {
            return Results.BadRequest("run: is missing; give the uid of a job");
        }

        if (!TryRead(query["rank"], 0, 0, int.MaxValue, out var rank))
        {
            return Results.BadRequest($"rank: '{query["rank"]}' must be a whole number from 0; leave it out for rank 0");
        }

        return TryRead(query["buckets"], 1000, 1, MostBuckets, out var buckets)
            ? Results.Json(await store.CurveAsync(run, metric, rank, buckets, http.RequestAborted), PhiJson.Options)
            : Results.BadRequest($"buckets: '{query["buckets"]}' must be a whole number from 1 to {MostBuckets}; leave it out for 1000");
    });

    private static bool TryRead(string? text, int preset, int least, int most, out int value)
    {
        value = preset;
        return string.IsNullOrEmpty(text) || (int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out value) && value >= least && value <= most);
    }
}
