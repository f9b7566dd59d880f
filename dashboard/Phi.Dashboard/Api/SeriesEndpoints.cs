using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Phi.Dashboard.Api.Formats;
using Phi.Telemetry.Series;
using Phi.Telemetry.Store;

namespace Phi.Dashboard.Api;

/// <summary><c>GET /api/v1/series</c>: parts of curves, as the chart's island and other programs fetch them.</summary>
internal static class SeriesEndpoints
{
    private const string Description = """
        The effective curve of each run, metric and rank that is asked for: of steps that were done twice the later attempt's, in at most
        `buckets` buckets of steps, with each bucket's least, greatest, mean and newest value. Buckets span a power of two of steps and begin
        at its multiples. What later attempts did again is in `lost`. The answer has an ETag; with If-None-Match an unchanged one is 304.
        """;

    public static void MapSeries(this IEndpointRouteBuilder routes, TelemetryStore store) => routes.MapGet("/api/v1/series", (HttpContext http, CancellationToken ct) => AnswerAsync(http, store, ct))
        .WithName("series").WithSummary("Parts of curves").WithDescription(Description)
        .Produces(200, contentType: JsonFormat.ContentType, additionalContentTypes: [CsvFormat.ContentType, ColumnFormat.ContentType])
        .Produces(304).ProducesValidationProblem()
        .AddOpenApiOperationTransformer((operation, _, _) =>
        {
            SeriesDocumentation.Describe(operation);
            return Task.CompletedTask;
        });

    private static async Task<IResult> AnswerAsync(HttpContext http, TelemetryStore store, CancellationToken ct)
    {
        var wanted = SeriesParameters.Read(http.Request.Query);
        if (SeriesFormats.Choose(http.Request) is not { } format)
        {
            return Results.ValidationProblem(new Dictionary<string, string[]> { ["format"] = [$"format must be {SeriesFormats.Names}, or Accept one of {SeriesFormats.ContentTypes}; leave both out for JSON"] });
        }

        if (wanted.Errors.Count > 0)
        {
            return Results.ValidationProblem(wanted.Errors);
        }

        var series = new List<SeriesData>();
        foreach (var run in wanted.Runs)
        {
            foreach (var metric in wanted.Metrics)
            {
                foreach (var rank in wanted.Ranks ?? await store.RanksAsync(run, metric, ct))
                {
                    if (series.Count == SeriesParameters.MostSeries)
                    {
                        return Results.ValidationProblem(new Dictionary<string, string[]> { ["rank"] = [$"more than {SeriesParameters.MostSeries} series are asked for; name fewer runs, metrics or ranks"] });
                    }

                    series.Add(await store.SeriesAsync(wanted.Query(run, metric, rank), ct));
                }
            }
        }

        return Tagged(http, format.Write(wanted.Axis, series), format.ContentType);
    }

    /// <summary>The content, or 304 if the client has it.</summary>
    private static IResult Tagged(HttpContext http, byte[] content, string contentType)
    {
        var tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 16))}\"";
        http.Response.Headers.ETag = tag;
        // It is one person's view, and asked for again each time.
        http.Response.Headers.CacheControl = "private, no-cache";
        http.Response.Headers.Vary = "Accept";
        return http.Request.Headers.IfNoneMatch.SelectMany(value => (value ?? "").Split(',')).Any(value => value.Trim() == tag || value.Trim() == "*")
            ? Results.StatusCode(304)
            : Results.Bytes(content, contentType);
    }
}
