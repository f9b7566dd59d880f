using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Phi.Api.Agent;
using Phi.Telemetry.Audit;
using Phi.Telemetry.Evaluation;
using Phi.Telemetry.Goodput;
using Phi.Telemetry.Model;
using Phi.Telemetry.Retention;
using Phi.Telemetry.Series;
using Phi.Telemetry.Story;

namespace Phi.Telemetry.Store;

/// <summary>
/// Metrics and checkpoints of all runs. What was stored before is stored again without a trace, so agents may send events twice, in any
/// order, and to any replica.
/// </summary>
public abstract class TelemetryStore : IAsyncDisposable
{
    private protected TelemetryStore() => (Goodput, Retention) = (new GoodputLedger(this), new TelemetryRetention(this));

    /// <summary>What the time of runs went to.</summary>
    public GoodputLedger Goodput { get; }

    /// <summary>How old runs go.</summary>
    public TelemetryRetention Retention { get; }

    /// <summary>Opens the database; creates its schema, or brings it up to date, if need be.</summary>
    /// <param name="database">Path of a SQLite file, or PostgreSQL as <c>postgresql://USER@HOST/DATABASE</c> or <c>Host=…;Database=…</c>.</param>
    /// <exception cref="TelemetryException">It cannot be opened.</exception>
    public static async Task<TelemetryStore> OpenAsync(string database, TimeProvider time, CancellationToken ct) => PostgresAddress.Parse(database) is { } address
        ? await PostgresStore.OpenAsync(address, time, ct)
        : await SqliteStore.OpenAsync(database, time, ct);

    /// <summary>Opens the database for queries alone: what would write to it fails, its schema included.</summary>
    /// <param name="database">As <see cref="OpenAsync"/> takes it; of this version's schema (<see cref="SchemaState"/>).</param>
    public static TelemetryStore OpenReadOnly(string database, TimeProvider time) => PostgresAddress.Parse(database) is { } address
        ? PostgresStore.OpenReadOnly(address, time)
        : SqliteStore.OpenReadOnly(database, time);

    /// <summary>Whether a database is named by the path of a SQLite file.</summary>
    /// <exception cref="TelemetryException">It is PostgreSQL, and its address is wrong.</exception>
    public static bool IsFile(string database) => PostgresAddress.Parse(database) is null;

    /// <summary>Stores a batch in one transaction; points that are there already are written over with the same values.</summary>
    public abstract Task IngestAsync(EventBatch batch, CancellationToken ct);

    public abstract ValueTask DisposeAsync();

    /// <summary>Stores what is new of jobs, in one transaction. Once or twice is the same.</summary>
    public async Task RecordAsync(IReadOnlyList<StoryPage> pages, CancellationToken ct)
    {
        if (pages.Count > 0)
        {
            await using var connection = await OpenConnectionAsync(ct);
            await new StoryRecorder(connection).WriteAsync(pages, ct);
        }
    }

    /// <summary>All that happened to a run; empty if nothing is known of it.</summary>
    public Task<RunStory> StoryAsync(string runId, CancellationToken ct) => QueryAsync(context => StoryRows.ReadAsync(context, runId, ct), ct);

    /// <summary>A metric of one rank over all attempts, stitched to the effective curve.</summary>
    public Task<SeriesData> SeriesAsync(SeriesQuery query, CancellationToken ct) => ReadAsync(
        async () =>
        {
            await using var connection = await OpenConnectionAsync(ct);
            return await new AxisReader(new SeriesReader(connection)).ReadAsync(query, ct);
        },
        ct);

    /// <summary>Every point of a metric of one rank, by attempt, then step.</summary>
    public Task<IReadOnlyList<CurvePoint>> PointsAsync(string runId, string metric, int rank, CancellationToken ct) => QueryAsync<IReadOnlyList<CurvePoint>>(
        async context =>
        {
            var points = await (from series in context.Series
                                join point in context.Points on series.Id equals point.SeriesId
                                where series.RunId == runId && series.Metric == metric && series.Rank == rank
                                orderby series.Attempt, point.Step
                                select new { series.Attempt, point.Step, point.Ts, point.Value, point.NonFinite })
                .ToListAsync(ct);
            return [.. points.Select(point => new CurvePoint(point.Attempt, point.Step, point.Ts, StoredValue.Read(point.Value, point.NonFinite)))];
        },
        ct);

    /// <summary>What the ranks of the newest attempt sent, as a mean of so many newest steps; null before any has reported.</summary>
    public Task<TrafficData?> TrafficAsync(string runId, int steps, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        return QueryAsync(context => TrafficQuery.RunAsync(context, runId, steps, ct), ct);
    }

    /// <summary>Names of the metrics that a run has.</summary>
    public Task<List<string>> MetricsAsync(string runId, CancellationToken ct) =>
        QueryAsync(context => context.Series.Where(series => series.RunId == runId).Select(series => series.Metric).Distinct().Order().ToListAsync(ct), ct);

    /// <summary>Ranks that have a metric, ascending.</summary>
    public Task<List<int>> RanksAsync(string runId, string metric, CancellationToken ct) =>
        QueryAsync(context => context.Series.Where(series => series.RunId == runId && series.Metric == metric).Select(series => series.Rank).Distinct().Order().ToListAsync(ct), ct);

    /// <summary>Runs that have stored anything, by namespace and job.</summary>
    /// <param name="namespace">Null: of every namespace.</param>
    /// <param name="job">Null: of every job.</param>
    public Task<List<RunSummary>> RunsAsync(string? @namespace, string? job, int most, CancellationToken ct) => QueryAsync(
        context => context.Runs.Where(run => (@namespace == null || run.Namespace == @namespace) && (job == null || run.Job == job))
            .OrderBy(run => run.Namespace).ThenBy(run => run.Job).ThenBy(run => run.Id).Take(most)
            .Select(run => new RunSummary(run.Id, run.Namespace, run.Job))
            .ToListAsync(ct),
        ct);

    /// <summary>Those of these runs of which anything is stored, in no order.</summary>
    public Task<List<RunSummary>> RunsAsync(IReadOnlyList<string> runIds, CancellationToken ct) => QueryAsync(
        context => context.Runs.Where(run => runIds.Contains(run.Id)).Select(run => new RunSummary(run.Id, run.Namespace, run.Job)).ToListAsync(ct), ct);

    /// <summary>Null: nothing is stored of it.</summary>
    public Task<RunDetail?> RunAsync(string runId, CancellationToken ct) => QueryAsync(
        async context =>
        {
            if (await context.Runs.Where(run => run.Id == runId).Select(run => new RunSummary(run.Id, run.Namespace, run.Job)).FirstOrDefaultAsync(ct) is not { } summary)
            {
                return null;
            }

            var attempts = await context.Attempts.Where(attempt => attempt.RunId == runId).OrderBy(attempt => attempt.Attempt).Select(attempt => new AttemptStart(attempt.Attempt, attempt.FirstStep)).ToListAsync(ct);
            var metrics = await context.Series.Where(series => series.RunId == runId).Select(series => new { series.Metric, series.Rank }).Distinct().ToListAsync(ct);
            return new RunDetail(
                summary, attempts, [.. metrics.GroupBy(series => series.Metric).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => new MetricRanks(group.Key, [.. group.Select(series => series.Rank).Order()]))]);
        },
        ct);

    /// <summary>Committed checkpoints, newest first.</summary>
    public Task<IReadOnlyList<CheckpointRecord>> CheckpointsAsync(string runId, CancellationToken ct) => QueryAsync<IReadOnlyList<CheckpointRecord>>(
        async context =>
        {
            var rows = await context.Checkpoints.Where(row => row.RunId == runId).OrderByDescending(row => row.Step).AsNoTracking().ToListAsync(ct);
            return [.. rows.Select(Checkpoint)];
        },
        ct);

    /// <summary>The committed checkpoints of a run, but for some steps'.</summary>
    public Task<CheckpointTotals> CheckpointTotalsAsync(string runId, IReadOnlyCollection<long> exceptSteps, CancellationToken ct) => QueryAsync(
        async context =>
        {
            var rows = context.Checkpoints.Where(row => row.RunId == runId && !exceptSteps.Contains(row.Step));
            var sums = await rows.GroupBy(row => row.RunId).Select(group => new { Count = group.Count(), Bytes = group.Sum(row => row.Bytes), Stall = group.Sum(row => row.StallSeconds) }).FirstOrDefaultAsync(ct);
            var newest = await rows.OrderByDescending(row => row.Step).AsNoTracking().FirstOrDefaultAsync(ct);
            return new CheckpointTotals(sums?.Count ?? 0, sums?.Bytes ?? 0, sums?.Stall ?? 0, newest is null ? null : Checkpoint(newest));
        },
        ct);

    /// <summary>What came of every checkpoint that was evaluated, or could not be: newest first, then by suite.</summary>
    public Task<IReadOnlyList<EvaluationRecord>> EvaluationsAsync(string runId, CancellationToken ct) => QueryAsync(context => EvaluationRows.ReadAsync(context, runId, ct), ct);

    /// <summary>Those of the newest step that has any.</summary>
    public Task<IReadOnlyList<EvaluationRecord>> NewestEvaluationsAsync(string runId, CancellationToken ct) => QueryAsync(context => EvaluationRows.NewestAsync(context, runId, ct), ct);

    /// <summary>How each problem of an evaluation went, in the order of the suite.</summary>
    public Task<IReadOnlyList<ProblemSummary>> ProblemsAsync(EvaluationKey key, CancellationToken ct) => QueryAsync(context => EvaluationRows.ProblemsAsync(context, key, ct), ct);

    /// <summary>Null: there is none of this number.</summary>
    public Task<ProblemDetail?> ProblemAsync(EvaluationKey key, int number, CancellationToken ct) => QueryAsync(context => EvaluationRows.ProblemAsync(context, key, number, ct), ct);

    /// <summary>Adds to the audit log.</summary>
    public Task AuditAsync(AuditEntry entry, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(entry);
        // Should only the answer have been lost, it stands there twice: better than not at all.
        return QueryAsync(
            async context =>
            {
                await AuditRows.WriteAsync(context, entry, ct);
                return true;
            },
            ct);
    }

    /// <summary>The audit log, newest first.</summary>
    /// <param name="namespace">Null: of every namespace, and of objects in none.</param>
    /// <param name="name">Of the object; null: of every one.</param>
    public Task<IReadOnlyList<AuditEntry>> AuditsAsync(string? @namespace, string? name, int most, CancellationToken ct) =>
        QueryAsync(context => AuditRows.ReadAsync(context, @namespace, name, most, ct), ct);

    /// <summary>Reads, and reads once more if the database has only cut off a connection that was kept.</summary>
    internal abstract Task<T> ReadAsync<T>(Func<Task<T>> read, CancellationToken ct);

    /// <summary>Writes when no other of this process does, where there can be only one.</summary>
    internal abstract Task<T> WriteInTurnAsync<T>(Func<Task<T>> write, CancellationToken ct);

    private protected abstract TelemetryContext CreateContext();

    /// <summary>A connection for reading, already open.</summary>
    internal abstract Task<DbConnection> OpenConnectionAsync(CancellationToken ct);

    private static CheckpointRecord Checkpoint(CheckpointRow row) => new(row.Step, row.Attempt, DateTimeOffset.FromUnixTimeMilliseconds(row.Ts), row.Uri, row.Bytes, row.Seconds, row.StallSeconds);

    internal Task<T> QueryAsync<T>(Func<TelemetryContext, Task<T>> query, CancellationToken ct) => ReadAsync(
        async () =>
        {
            await using var context = CreateContext();
            return await query(context);
        },
        ct);
}
