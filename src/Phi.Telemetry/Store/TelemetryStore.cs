using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Phi.Api.Agent;
using Phi.Telemetry.Model;
using Phi.Telemetry.Series;

namespace Phi.Telemetry.Store;

/// <summary>
/// Metrics and checkpoints of all runs in one SQLite file (write-ahead log: one writer at a time, readers never wait for it). What was
/// stored before is stored again without a trace, so agents may send events twice.
/// </summary>
public sealed class TelemetryStore : IAsyncDisposable
{
    private readonly DbContextOptions<TelemetryContext> _options;
    private readonly string _connectionString;
    private readonly SemaphoreSlim _writer = new(1);

    private TelemetryStore(string path)
    {
        _connectionString = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 30 }.ToString();
        _options = new DbContextOptionsBuilder<TelemetryContext>().UseSqlite(_connectionString).Options;
    }

    /// <summary>Opens the file; creates it, or brings its schema up to date, if need be.</summary>
    public static async Task<TelemetryStore> OpenSqliteAsync(string path, CancellationToken ct)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var store = new TelemetryStore(path);
        await using var context = new TelemetryContext(store._options);
        await context.Database.MigrateAsync(ct);
        await context.Database.ExecuteSqlRawAsync("PRAGMA journal_mode=WAL", ct);
        return store;
    }

    /// <summary>Stores a batch in one transaction; points that are there already are written over with the same values.</summary>
    public async Task IngestAsync(EventBatch batch, CancellationToken ct)
    {
        await _writer.WaitAsync(ct);
        try
        {
            await using var connection = new SqliteConnection(_connectionString);
            await connection.OpenAsync(ct);
            await using var transaction = (SqliteTransaction)await connection.BeginTransactionAsync(ct);
            await ExecuteAsync(connection, transaction, "INSERT INTO runs (id, namespace, job) VALUES ($run, $namespace, $job) ON CONFLICT (id) DO NOTHING", ct,
                ("$run", batch.JobUid), ("$namespace", batch.Namespace), ("$job", batch.Job));
            var series = new Dictionary<(int, string), long>();
            foreach (var step in batch.Steps)
            {
                foreach (var (metric, value) in step.Metrics)
                {
                    var id = series.TryGetValue((step.Rank, metric), out var known) ? known : series[(step.Rank, metric)] = await SeriesAsync(connection, transaction, batch, step.Rank, metric, ct);
                    await ExecuteAsync(connection, transaction,
                        "INSERT INTO metric_point (series_id, step, ts, value, nonfinite) VALUES ($series, $step, $ts, $value, $nonfinite) ON CONFLICT (series_id, step) DO UPDATE SET ts = excluded.ts, value = excluded.value, nonfinite = excluded.nonfinite", ct,
                        ("$series", id), ("$step", step.Step), ("$ts", step.Time.ToUnixTimeMilliseconds()), ("$value", double.IsFinite(value) ? value : 0.0), ("$nonfinite", NonFinite(value)));
                }
            }

            foreach (var checkpoint in batch.Checkpoints)
            {
                await ExecuteAsync(connection, transaction,
                    "INSERT INTO checkpoints (run_id, step, attempt, ts, uri, bytes, seconds, stall_seconds) VALUES ($run, $step, $attempt, $ts, $uri, $bytes, $seconds, $stall) ON CONFLICT (run_id, step) DO NOTHING", ct,
                    ("$run", batch.JobUid), ("$step", checkpoint.Step), ("$attempt", batch.Attempt), ("$ts", checkpoint.Time.ToUnixTimeMilliseconds()),
                    ("$uri", checkpoint.Uri), ("$bytes", checkpoint.Bytes), ("$seconds", checkpoint.Seconds), ("$stall", checkpoint.StallSeconds));
            }

            await transaction.CommitAsync(ct);
        }
        finally
        {
            _writer.Release();
        }
    }

    /// <summary>A metric of one rank over all attempts, stitched to the effective curve, in at most so many buckets.</summary>
    public async Task<CurveData> CurveAsync(string runId, string metric, int rank, int buckets, CancellationToken ct) =>
        EffectiveCurve.Stitch(await PointsAsync(runId, metric, rank, ct), buckets);

    /// <summary>Every point of a metric of one rank, by attempt, then step.</summary>
    public async Task<IReadOnlyList<CurvePoint>> PointsAsync(string runId, string metric, int rank, CancellationToken ct)
    {
        await using var context = new TelemetryContext(_options);
        var points = await (from series in context.Series
                            join point in context.Points on series.Id equals point.SeriesId
                            where series.RunId == runId && series.Metric == metric && series.Rank == rank
                            orderby series.Attempt, point.Step
                            select new { series.Attempt, point.Step, point.Ts, point.Value, point.NonFinite })
            .ToListAsync(ct);
        return [.. points.Select(point => new CurvePoint(point.Attempt, point.Step, point.Ts, FromStored(point.Value, point.NonFinite)))];
    }

    /// <summary>What the ranks of the newest attempt sent, as a mean of so many newest steps; null before any has reported.</summary>
    public async Task<TrafficData?> TrafficAsync(string runId, int steps, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        await using var context = new TelemetryContext(_options);
        return await TrafficQuery.RunAsync(context, runId, steps, ct);
    }

    /// <summary>Names of the metrics that a run has.</summary>
    public async Task<IReadOnlyList<string>> MetricsAsync(string runId, CancellationToken ct)
    {
        await using var context = new TelemetryContext(_options);
        return await context.Series.Where(series => series.RunId == runId).Select(series => series.Metric).Distinct().Order().ToListAsync(ct);
    }

    /// <summary>Committed checkpoints, newest first.</summary>
    public async Task<IReadOnlyList<CheckpointRecord>> CheckpointsAsync(string runId, CancellationToken ct)
    {
        await using var context = new TelemetryContext(_options);
        var rows = await context.Checkpoints.Where(row => row.RunId == runId).OrderByDescending(row => row.Step).AsNoTracking().ToListAsync(ct);
        return [.. rows.Select(row => new CheckpointRecord(row.Step, row.Attempt, DateTimeOffset.FromUnixTimeMilliseconds(row.Ts), row.Uri, row.Bytes, row.Seconds, row.StallSeconds))];
    }

    public ValueTask DisposeAsync()
    {
        _writer.Dispose();
        SqliteConnection.ClearAllPools();
        return ValueTask.CompletedTask;
    }

    private static async Task<long> SeriesAsync(SqliteConnection connection, SqliteTransaction transaction, EventBatch batch, int rank, string metric, CancellationToken ct)
    {
        (string, object)[] key = [("$run", batch.JobUid), ("$attempt", batch.Attempt), ("$rank", rank), ("$metric", metric)];
        await ExecuteAsync(connection, transaction, "INSERT INTO series (run_id, attempt, rank, metric) VALUES ($run, $attempt, $rank, $metric) ON CONFLICT DO NOTHING", ct, key);
        await using var command = Command(connection, transaction, "SELECT id FROM series WHERE run_id = $run AND attempt = $attempt AND rank = $rank AND metric = $metric", key);
        return Convert.ToInt64(await command.ExecuteScalarAsync(ct), CultureInfo.InvariantCulture);
    }

    private static async Task ExecuteAsync(SqliteConnection connection, SqliteTransaction transaction, string sql, CancellationToken ct, params (string Name, object Value)[] parameters)
    {
        await using var command = Command(connection, transaction, sql, parameters);
        await command.ExecuteNonQueryAsync(ct);
    }

    private static SqliteCommand Command(SqliteConnection connection, SqliteTransaction transaction, string sql, (string Name, object Value)[] parameters)
    {
        var command = new SqliteCommand(sql, connection, transaction);
        foreach (var (name, value) in parameters)
        {
            command.Parameters.AddWithValue(name, value);
        }

        return command;
    }

    private static double FromStored(double value, int nonFinite) => nonFinite switch
    {
        0 => value,
        1 => double.NaN,
        2 => double.PositiveInfinity,
        _ => double.NegativeInfinity,
    };

    private static int NonFinite(double value) => double.IsNaN(value) ? 1 : double.IsPositiveInfinity(value) ? 2 : double.IsNegativeInfinity(value) ? 3 : 0;
}
