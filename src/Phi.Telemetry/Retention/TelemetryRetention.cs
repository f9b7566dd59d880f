using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Phi.Telemetry.Series;
using Phi.Telemetry.Store;

namespace Phi.Telemetry.Retention;

/// <summary>Removes runs and audit entries, in transactions so small that whoever stores events is not held up.</summary>
public sealed class TelemetryRetention
{
    /// <summary>Rows that one transaction removes; of what happened in one moment some more.</summary>
    public const int MostRows = 10_000;

    private const string Sweep = "retention";

    /// <summary>Another process that waits for SQLite's only writer looks again after a while: so half of the time nobody writes here.</summary>
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(5);

    private readonly TelemetryStore _store;

    internal TelemetryRetention(TelemetryStore store) => _store = store;

    /// <summary>Every run of which anything is stored.</summary>
    public Task<List<RunSummary>> RunsAsync(CancellationToken ct) => _store.QueryAsync(context => context.Runs.Select(run => new RunSummary(run.Id, run.Namespace, run.Job)).ToListAsync(ct), ct);

    /// <summary>Runs to which nothing has happened since.</summary>
    public Task<IReadOnlyList<RunSummary>> IdleRunsAsync(DateTimeOffset since, CancellationToken ct) => _store.ReadAsync(
        async () =>
        {
            await using var connection = await _store.OpenConnectionAsync(ct);
            return await RunRemoval.IdleAsync(connection, since, ct);
        },
        ct);

    /// <summary>When anything happened to a run last.</summary>
    public Task<RunActivity> ActivityAsync(RunSummary run, CancellationToken ct) => _store.ReadAsync(
        async () =>
        {
            await using var connection = await _store.OpenConnectionAsync(ct);
            return new RunActivity(run, await RunRemoval.LastActivityAsync(connection, run.Run, ct));
        },
        ct);

    /// <summary>Removes a run with all that belongs to it, the run itself last: what was begun and not ended, another call ends.</summary>
    /// <returns>The rows that each transaction removed, once it is committed.</returns>
    public async IAsyncEnumerable<long> RemoveAsync(string run, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var connection = await _store.OpenConnectionAsync(ct);
        var removal = await RunRemoval.BeginAsync(connection, run, ct);
        while (await InTurnAsync(() => removal.NextAsync(MostRows, ct), ct) is > 0 and var rows)
        {
            yield return rows;
        }
    }

    /// <summary>Removes the audit entries of before a time.</summary>
    /// <returns>The rows that each transaction removed, once it is committed.</returns>
    public async IAsyncEnumerable<long> RemoveAuditsAsync(DateTimeOffset before, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var connection = await _store.OpenConnectionAsync(ct);
        await using var command = connection.Statement(null, "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE ts < @before ORDER BY id LIMIT @most)")
            .With(("before", before.ToUnixTimeMilliseconds()), ("most", MostRows));
        while (await InTurnAsync(async () => (long)await command.ExecuteNonQueryAsync(ct), ct) is > 0 and var rows)
        {
            yield return rows;
        }
    }

    /// <summary>When <see cref="MarkSweptAsync"/> was last said; null: never.</summary>
    public Task<DateTimeOffset?> LastSweepAsync(CancellationToken ct) => _store.QueryAsync<DateTimeOffset?>(
        async context => await context.Upkeep.Where(row => row.Name == Sweep).Select(row => (long?)row.Ts).FirstOrDefaultAsync(ct) is { } ts ? DateTimeOffset.FromUnixTimeMilliseconds(ts) : null, ct);

    /// <summary>All that was to be removed is.</summary>
    public async Task MarkSweptAsync(DateTimeOffset at, CancellationToken ct)
    {
        await using var connection = await _store.OpenConnectionAsync(ct);
        await using var command = connection.Statement(null, "INSERT INTO upkeep (name, ts) VALUES (@name, @ts) ON CONFLICT (name) DO UPDATE SET ts = excluded.ts")
            .With(("name", Sweep), ("ts", at.ToUnixTimeMilliseconds()));
        await command.ExecuteNonQueryAsync(ct);
    }

    private async Task<long> InTurnAsync(Func<Task<long>> write, CancellationToken ct)
    {
        var start = TimeProvider.System.GetTimestamp();
        var rows = await _store.WriteInTurnAsync(write, ct);
        var took = TimeProvider.System.GetElapsedTime(start);
        await Task.Delay(took > ShortestPause ? took : ShortestPause, ct);
        return rows;
    }
}
