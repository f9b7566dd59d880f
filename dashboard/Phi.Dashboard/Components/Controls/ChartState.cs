using System.Globalization;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Phi.Dashboard.Api;
using Phi.Telemetry.Series;

namespace Phi.Dashboard.Components.Controls;

/// <summary>What a chart shows and how; all of it is in the page's address, so that a link shows the same.</summary>
public sealed record ChartState
{
    public const string DefaultMetric = "loss";
    private const double MostSmoothing = 0.99;
    private static readonly string[] Names = ["metric", "x", "from", "to", "smooth", "logx", "logy", "view"];

    public string Metric { get; init; } = DefaultMetric;

    public SeriesAxis Axis { get; init; }

    /// <summary>On the axis; null: open.</summary>
    public double? From { get; init; }

    public double? To { get; init; }

    /// <summary>Weight of the average at each value, from 0 (none) to 0.99.</summary>
    public double Smoothing { get; init; }

    public bool LogX { get; init; }

    public bool LogY { get; init; }

    /// <summary>Numbers instead of curves.</summary>
    public bool IsTable { get; init; }

    /// <summary>What cannot be read is as if it were not there.</summary>
    public static ChartState Read(string address)
    {
        var query = QueryHelpers.ParseQuery(new Uri(address).Query);
        return new ChartState
        {
            Metric = Text("metric") is { Length: > 0 and <= 200 } metric ? metric : DefaultMetric,
            Axis = AxisNames.Find(Text("x")) ?? SeriesAxis.Step,
            From = Number("from"),
            To = Number("to"),
            Smoothing = Math.Clamp(Number("smooth") ?? 0, 0, MostSmoothing),
            LogX = Text("logx") == "1",
            LogY = Text("logy") == "1",
            IsTable = Text("view") == "table",
        };

        string? Text(string name) => query.TryGetValue(name, out var value) ? (string?)value : null;

        double? Number(string name) => double.TryParse(Text(name), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value : null;
    }

    /// <summary>The address with this state; whatever else is in its query stays.</summary>
    public string Write(string address)
    {
        var given = new Uri(address);
        var query = QueryHelpers.ParseQuery(given.Query).Where(pair => !Names.Contains(pair.Key)).ToDictionary(pair => pair.Key, pair => pair.Value);
        Add("metric", Metric == DefaultMetric ? null : Metric);
        Add("x", Axis == SeriesAxis.Step ? null : AxisNames.Of(Axis));
        Add("from", From?.ToString("R", CultureInfo.InvariantCulture));
        Add("to", To?.ToString("R", CultureInfo.InvariantCulture));
        Add("smooth", Smoothing > 0 ? Smoothing.ToString("0.##", CultureInfo.InvariantCulture) : null);
        Add("logx", LogX ? "1" : null);
        Add("logy", LogY ? "1" : null);
        Add("view", IsTable ? "table" : null);
        return QueryHelpers.AddQueryString(given.GetLeftPart(UriPartial.Path), query);

        void Add(string name, string? value)
        {
            if (value is not null)
            {
                query[name] = new StringValues(value);
            }
        }
    }
}
