using System.Globalization;
using Microsoft.AspNetCore.Http;
using Phi.Telemetry.Series;

namespace Phi.Dashboard.Api;

/// <summary>What a request to <c>/api/v1/series</c> asks for, or every reason why it cannot be answered.</summary>
internal sealed class SeriesParameters
{
    /// <summary>Bounds what one answer can hold.</summary>
    public const int MostSeries = 512;
    private const int MostRuns = 64;
    private const int MostMetrics = 64;
    private const int MostNameLength = 200;
    private const int DefaultBuckets = 1000;
    private readonly Dictionary<string, string[]> _errors = [];

    private SeriesParameters(IQueryCollection query)
    {
        Runs = Names(query, "run", MostRuns, "the uid of a job");
        Metrics = Names(query, "metric", MostMetrics, "a metric's name, such as loss");
        if (Metrics.Count == 0)
        {
            Metrics = ["loss"];
        }

        if (Runs.Count == 0 && !_errors.ContainsKey("run"))
        {
            Refuse("run", "is missing; give the uid of a job, once for each run");
        }

        Ranks = ReadRanks(query);
        Axis = ReadAxis(query);
        (From, To) = (Number(query, "from"), Number(query, "to"));
        if (From > To)
        {
            Refuse("from", string.Create(CultureInfo.InvariantCulture, $"is {From}, which lies after to, {To}; exchange them"));
        }

        Buckets = ReadBuckets(query);
    }

    public IReadOnlyList<string> Runs { get; }

    public IReadOnlyList<string> Metrics { get; }

    /// <summary>Null: every rank that has the metric.</summary>
    public IReadOnlyList<int>? Ranks { get; }

    public SeriesAxis Axis { get; }

    public double? From { get; }

    public double? To { get; }

    public int Buckets { get; }

    /// <summary>By parameter; empty if it can be answered.</summary>
    public IReadOnlyDictionary<string, string[]> Errors => _errors;

    public static SeriesParameters Read(IQueryCollection query) => new(query);

    public SeriesQuery Query(string run, string metric, int rank) => new() { Run = run, Metric = metric, Rank = rank, Axis = Axis, From = From, To = To, Buckets = Buckets };

    private List<string> Names(IQueryCollection query, string name, int most, string what)
    {
        var given = query[name].SelectMany(value => (value ?? "").Split(',')).Select(value => value.Trim()).Where(value => value.Length > 0).Distinct().ToList();
        if (given.Count > most)
        {
            Refuse(name, string.Create(CultureInfo.InvariantCulture, $"is given {given.Count} times; at most {most} are answered at once"));
        }

        if (given.Find(value => value.Length > MostNameLength || value.Any(char.IsControl)) is not null)
        {
            Refuse(name, string.Create(CultureInfo.InvariantCulture, $"must be {what}, of at most {MostNameLength} characters"));
        }

        return given;
    }

    private List<int>? ReadRanks(IQueryCollection query)
    {
        var given = query["rank"].SelectMany(value => (value ?? "").Split(',')).Where(value => value.Length > 0).ToList();
        if (given is ["all"])
        {
            return null;
        }

        var ranks = new List<int>();
        foreach (var text in given)
        {
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var rank))
            {
                Refuse("rank", $"'{Shorten(text)}' must be a whole number from 0, or all alone; leave it out for rank 0");
                return [0];
            }

            ranks.Add(rank);
        }

        return ranks.Count == 0 ? [0] : [.. ranks.Distinct()];
    }

    private SeriesAxis ReadAxis(IQueryCollection query)
    {
        if ((string?)query["axis"] is not { Length: > 0 } text)
        {
            return SeriesAxis.Step;
        }

        if (AxisNames.Find(text) is { } axis)
        {
            return axis;
        }

        Refuse("axis", $"'{Shorten(text)}' must be {AxisNames.All}; leave it out for step");
        return SeriesAxis.Step;
    }

    private double? Number(IQueryCollection query, string name)
    {
        if ((string?)query[name] is not { Length: > 0 } text)
        {
            return null;
        }

        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value))
        {
            return value;
        }

        Refuse(name, $"'{Shorten(text)}' must be a number on the axis; leave it out for an open range");
        return null;
    }

    private int ReadBuckets(IQueryCollection query)
    {
        if ((string?)query["buckets"] is not { Length: > 0 } text)
        {
            return DefaultBuckets;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var buckets) && buckets is >= 1 and <= SeriesQuery.MostBuckets)
        {
            return buckets;
        }

        Refuse("buckets", $"'{Shorten(text)}' must be a whole number from 1 to {SeriesQuery.MostBuckets}; leave it out for {DefaultBuckets}");
        return DefaultBuckets;
    }

    private void Refuse(string name, string why) => _errors[name] = [$"{name} {why}"];

    private static string Shorten(string text) => text.Length <= 40 ? text : text[..40] + "…";
}
