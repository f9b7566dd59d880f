using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Phi.Telemetry.Series;

namespace Phi.Dashboard.Api.Formats;

/// <summary>The ways to write curves, the usual one first.</summary>
internal static class SeriesFormats
{
    private static readonly ISeriesFormat[] All = [new JsonFormat(), new CsvFormat(), new ColumnFormat()];

    /// <summary>A curve's columns, in the order in which every format has them.</summary>
    public static readonly IReadOnlyList<(string Name, Func<SeriesColumns, double[]> Values)> Columns =
    [
        ("x", columns => columns.X),
        ("step", columns => columns.Step),
        ("time", columns => columns.Time),
        ("min", columns => columns.Min),
        ("max", columns => columns.Max),
        ("average", columns => columns.Average),
        ("last", columns => columns.Last),
        ("count", columns => columns.Count),
        ("nonFinite", columns => columns.NonFinite),
    ];

    public static string Names => string.Join(", ", All.Select(format => format.Name));

    public static string ContentTypes => string.Join(", ", All.Select(format => format.ContentType));

    /// <summary>By the parameter <c>format</c>, else by the header; null: it is none of these.</summary>
    public static ISeriesFormat? Choose(HttpRequest request)
    {
        if ((string?)request.Query["format"] is { Length: > 0 } name)
        {
            return Array.Find(All, format => format.Name == name);
        }

        if (request.Headers.Accept.Count == 0 || !MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted) || accepted.Count == 0)
        {
            return All[0];
        }

        return accepted.OrderByDescending(range => range.Quality ?? 1).SelectMany(range => All.Where(format => MediaTypeHeaderValue.Parse(format.ContentType).IsSubsetOf(range))).FirstOrDefault();
    }
}
