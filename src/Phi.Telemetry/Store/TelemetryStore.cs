using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Phi.Api.Agent;
using Phi.Telemetry.Model;
using Phi.Telemetry.Series;

namespace Phi.Telemetry.Store;

/// <summary>
/// Metrics and checkpoints of all runs. What was stored before is stored again without a trace, so agents may send events twice, in any
/// order, and to any replica.
/// </summary>
public abstract class TelemetryStore : IAsyncDisposable
{
    private protected TelemetryStore()
    {
    }

    /// <summary>Opens the database; creates its schema, or brings it up to date, if need be.</summary>
    /// <param name="database">Path of a SQLite file, or PostgreSQL as <c>postgresql://USER@HOST/DATABASE</c> or <c>Host=…;Database=…</c>.</param>
    /// <exception cref="TelemetryException">It cannot be opened.</exception>
    public static async Task<TelemetryStore> OpenAsync(string database, TimeProvider time, CancellationToken ct) => PostgresAddress.Parse(database) is { } address
        ? await PostgresStore.OpenAsync(address, time, ct)
        : await SqliteStore.OpenAsync(database, time, ct);

    /// <summary>Stores a batch in one transaction; points that are there already are written over with the same values.</summary>
    public abstract Task IngestAsync(EventBatch batch, CancellationToken ct);

    public abstract ValueTask DisposeAsync();

    /// <summary>A metric of one rank over all attempts, stitched to the effective curve.</summary>
    public async Task<SeriesData> SeriesAsync(SeriesQuery query, CancellationToken ct)
    {
        await using var connection = await OpenConnectionAsync(ct);
        return await new AxisReader(new SeriesReader(connection)).ReadAsync(query, ct);
    }

    /// <summary>Every point of a metric of one rank, by attempt, then step.</summary>
    public async Task<IReadOnlyList<CurvePoint>> PointsAsync(string runId, string metric, int rank, CancellationToken ct)
    {
        await using var context = CreateContext();
        var points = await (from series in context.Series
                            join point in context.Points on series.Id equals point.SeriesId
                            where series.RunId == runId && series.Metric == metric && series.Rank == rank
                            orderby series.Attempt, point.Step
                            select new { series.Attempt, point.Step, point.Ts, point.Value, point.NonFinite })
            .ToListAsync(ct);
        return [.. points.Select(point => new CurvePoint(point.Attempt, point.Step, point.Ts, StoredValue.Read(point.Value, point.NonFinite)))];
    }

    /// <summary>What the ranks of the newest attempt sent, as a mean of so many newest steps; null before any has reported.</summary>
    public async Task<TrafficData?> TrafficAsync(string runId, int steps, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        await using var context = CreateContext();
        return await TrafficQuery.RunAsync(context, runId, steps, ct);
    }

    /// <summary>Names of the metrics that a run has.</summary>
    public async Task<IReadOnlyList<string>> MetricsAsync(string runId, CancellationToken ct)
    {
        await using var context = CreateContext();
        return await context.Series.Where(series => series.RunId == runId).Select(series => series.Metric).Distinct().Order().ToListAsync(ct);
    }

    /// <summary>Ranks that have a metric, ascending.</summary>
    public async Task<IReadOnlyList<int>> RanksAsync(string runId, string metric, CancellationToken ct)
    {
        await using var context = CreateContext();
        return await context.Series.Where(series => series.RunId == runId && series.Metric == metric).Select(series => series.Rank).Distinct().Order().ToListAsync(ct);
    }

    /// <summary>Runs that have stored anything, by namespace and job.</summary>
    /// <param name="namespace">Null: of every namespace.</param>
    /// <param name="job">Null: of every job.</param>
    public async Task<IReadOnlyList<RunSummary>> RunsAsync(string? @namespace, string? job, int most, CancellationToken ct)
    {
        await using var context = CreateContext();
        return await context.Runs.Where(run => (@namespace == null || run.Namespace == @namespace) && (job == null || run.Job == job))
            .OrderBy(run => run.Namespace).ThenBy(run => run.Job).ThenBy(run => run.Id).Take(most)
            .Select(run => new RunSummary(run.Id, run.Namespace, run.Job))
            .ToListAsync(ct);
    }

    /// <summary>Null: nothing is stored of it.</summary>
    public async Task<RunDetail?> RunAsync(string runId, CancellationToken ct)
    {
        await using var context = CreateContext();
        if (await context.Runs.Where(run => run.Id == runId).Select(run => new RunSummary(run.Id, run.Namespace, run.Job)).FirstOrDefaultAsync(ct) is not { } summary)
        {
            return null;
        }

        var attempts = await context.Attempts.Where(attempt => attempt.RunId == runId).OrderBy(attempt => attempt.Attempt).Select(attempt => new AttemptStart(attempt.Attempt, attempt.FirstStep)).ToListAsync(ct);
        var metrics = await context.Series.Where(series => series.RunId == runId).Select(series => new { series.Metric, series.Rank }).Distinct().ToListAsync(ct);
        return new RunDetail(
            summary, attempts, [.. metrics.GroupBy(series => series.Metric).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => new MetricRanks(group.Key, [.. group.Select(series => series.Rank).Order()]))]);
    }

    /// <summary>Committed checkpoints, newest first.</summary>
    public async Task<IReadOnlyList<CheckpointRecord>> CheckpointsAsync(string runId, CancellationToken ct)
    {
        await using var context = CreateContext();
        var rows = await context.Checkpoints.Where(row => row.RunId == runId).OrderByDescending(row => row.Step).AsNoTracking().ToListAsync(ct);
        return [.. rows.Select(row => new CheckpointRecord(row.Step, row.Attempt, DateTimeOffset.FromUnixTimeMilliseconds(row.Ts), row.Uri, row.Bytes, row.Seconds, row.StallSeconds))];
    }

    private protected abstract TelemetryContext CreateContext();

    /// <summary>A connection for reading, already open.</summary>
    private protected abstract Task<DbConnection> OpenConnectionAsync(CancellationToken ct);
}
