using System.CommandLine;
using Phi.Benchmarks.Reports;

namespace Phi.Benchmarks.Benches.Telemetry;

/// <summary>How fast points are stored, and how fast a part of a long curve is read, in both databases.</summary>
internal sealed class TelemetryBench : IBench
{
    private readonly Option<string?> _storeOption = Store();
    private string? _store;

    public string Name => "telemetry";

    public string Description => "points stored a second, roll-ups included; a query of 2,000 buckets of a series of 1,000,000 steps among 10,000,000 points; in PostgreSQL and SQLite";

    public IReadOnlyList<Option> Options => [_storeOption];

    public void Configure(ParseResult parsed) => _store = parsed.GetValue(_storeOption);

    public async Task<IReadOnlyList<Metric>> RunAsync() =>
    [
        .. Has(PostgresHost.Name) ? await MeasureAsync(static () => new PostgresHost()) : [],
        .. Has(SqliteHost.Name) ? await MeasureAsync(static () => new SqliteHost()) : [],
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

    private bool Has(string store) => _store is null || _store == store;

    private static Option<string?> Store()
    {
        var option = new Option<string?>("--store") { Description = $"One database alone: {PostgresHost.Name} or {SqliteHost.Name}. Default: both." };
        option.AcceptOnlyFromAmong(PostgresHost.Name, SqliteHost.Name);
        return option;
    }
}
