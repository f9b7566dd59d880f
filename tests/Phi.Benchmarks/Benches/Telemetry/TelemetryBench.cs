using System.CommandLine;
using Phi.Benchmarks.Reports;

namespace Phi.Benchmarks.Benches.Telemetry;

/// <summary>How fast points are stored and a part of a long curve is read, in both databases, and how fast it is on the screen.</summary>
internal sealed class TelemetryBench : IBench
{
    private readonly Option<string?> _partOption = Part();
    private string? _part;

    public string Name => "telemetry";

    public string Description => "points stored a second, roll-ups included; a query of 2,000 buckets of a series of 1,000,000 steps among 10,000,000 points; in PostgreSQL and SQLite; the page of such a series in Chromium, and fifty open pages";

    public IReadOnlyList<Option> Options => [_partOption];

    public void Configure(ParseResult parsed) => _part = parsed.GetValue(_partOption);

    public async Task<IReadOnlyList<Metric>> RunAsync() =>
    [
        .. Has(PostgresHost.Name) ? await MeasureAsync(static () => new PostgresHost()) : [],
        .. Has(SqliteHost.Name) ? await MeasureAsync(static () => new SqliteHost()) : [],
        .. Has(BrowserMeasure.Name) ? await BrowserMeasure.RunAsync() : [],
    ];

    private static async Task<IReadOnlyList<Metric>> MeasureAsync(Func<IStoreHost> create)
    {
        IReadOnlyList<Metric> ingest;
        using (var host = create())
        {
            ingest = await IngestMeasure.RunAsync(host);
        }

        using (var host = create())
        {
            return [.. ingest, .. await QueryMeasure.RunAsync(host)];
        }
    }

    private bool Has(string part) => _part is null || _part == part;

    private static Option<string?> Part()
    {
        var option = new Option<string?>("--part") { Description = $"One part alone: {PostgresHost.Name}, {SqliteHost.Name}, or {BrowserMeasure.Name} (the job page in Chromium, and fifty open pages). Default: all." };
        option.AcceptOnlyFromAmong(PostgresHost.Name, SqliteHost.Name, BrowserMeasure.Name);
        return option;
    }
}
