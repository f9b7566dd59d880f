using System.Data.Common;
using System.Globalization;
using Phi.Telemetry.Series;

namespace Phi.Telemetry.Store;

/// <summary>Removes one run, some rows at a time, over a connection to either database.</summary>
internal sealed class RunRemoval
{
    /// <summary>What belongs to a series, by its key's second column.</summary>
    private static readonly (string Table, string Key)[] OfSeries = [("metric_point", "step"), ("metric_rollup_16", "bucket"), ("metric_rollup_256", "bucket")];

    /// <summary>What belongs to a run, by its key's second column.</summary>
    private static readonly (string Table, string Key)[] OfRun =
        [("transitions", "ts"), ("interruptions", "attempt"), ("marks", "attempt"), ("checkpoints", "step"), ("evaluation_problems", "step"), ("evaluations", "step"), ("goodput", "attempt"), ("attempts", "attempt")];

    private readonly DbConnection _connection;
    private readonly string _run;
    private readonly Queue<long> _series;

    /// <summary>Table of the first series that is next, and the key up to which its rows are gone: PostgreSQL would go through them again.</summary>
    private int _table;
    private long _after = -1;

    private RunRemoval(DbConnection connection, string run, Queue<long> series) => (_connection, _run, _series) = (connection, run, series);

    /// <summary>The newest time of what is stored of a run; null: there is none.</summary>
    public static async Task<DateTimeOffset?> LastActivityAsync(DbConnection connection, string run, CancellationToken ct)
    {
        await using var command = connection.Statement(null, """
            SELECT max(ts) FROM (
                SELECT max(ts) AS ts FROM transitions WHERE run_id = @run
                UNION ALL SELECT max(ts) FROM interruptions WHERE run_id = @run
                UNION ALL SELECT max(ts) FROM marks WHERE run_id = @run
                UNION ALL SELECT max(ts) FROM checkpoints WHERE run_id = @run
                UNION ALL SELECT max(ts) FROM evaluations WHERE run_id = @run
                UNION ALL SELECT max(end_ts) FROM goodput WHERE run_id = @run
                UNION ALL SELECT max(missed_ts) FROM goodput WHERE run_id = @run
                UNION ALL SELECT max((SELECT ts FROM metric_point WHERE series_id = s.id ORDER BY step DESC LIMIT 1)) FROM series s WHERE run_id = @run
            ) AS activity
            """).With(("run", run));
        return await command.ExecuteScalarAsync(ct) is long ts ? DateTimeOffset.FromUnixTimeMilliseconds(ts) : null;
    }

    /// <summary>Runs of which nothing is stored that has this time or a later one.</summary>
    public static async Task<IReadOnlyList<RunSummary>> IdleAsync(DbConnection connection, DateTimeOffset since, CancellationToken ct)
    {
        await using var command = connection.Statement(null, """
            SELECT id, namespace, job FROM runs r
            WHERE NOT EXISTS (SELECT 1 FROM transitions WHERE run_id = r.id AND ts >= @since)
                AND NOT EXISTS (SELECT 1 FROM interruptions WHERE run_id = r.id AND ts >= @since)
                AND NOT EXISTS (SELECT 1 FROM marks WHERE run_id = r.id AND ts >= @since)
                AND NOT EXISTS (SELECT 1 FROM checkpoints WHERE run_id = r.id AND ts >= @since)
                AND NOT EXISTS (SELECT 1 FROM evaluations WHERE run_id = r.id AND ts >= @since)
                AND NOT EXISTS (SELECT 1 FROM goodput WHERE run_id = r.id AND (end_ts >= @since OR missed_ts >= @since))
                AND NOT EXISTS (SELECT 1 FROM series s WHERE run_id = r.id AND (SELECT ts FROM metric_point WHERE series_id = s.id ORDER BY step DESC LIMIT 1) >= @since)
            """).With(("since", since.ToUnixTimeMilliseconds()));
        await using var reader = await command.ExecuteReaderAsync(ct);
        var runs = new List<RunSummary>();
        while (await reader.ReadAsync(ct))
        {
            runs.Add(new RunSummary(reader.GetString(0), reader.GetString(1), reader.GetString(2)));
        }

        return runs;
    }

    public static async Task<RunRemoval> BeginAsync(DbConnection connection, string run, CancellationToken ct)
    {
        await using var command = connection.Statement(null, "SELECT id FROM series WHERE run_id = @run").With(("run", run));
        await using var reader = await command.ExecuteReaderAsync(ct);
        var series = new Queue<long>();
        while (await reader.ReadAsync(ct))
        {
            series.Enqueue(reader.GetInt64(0));
        }

        return new RunRemoval(connection, run, series);
    }

    /// <summary>Removes up to so many rows in one transaction.</summary>
    /// <returns>How many; 0: the run is gone.</returns>
    public async Task<long> NextAsync(int most, CancellationToken ct)
    {
        await using var transaction = await _connection.BeginTransactionAsync(ct);
        var left = (long)most;
        while (left > 0 && _series.TryPeek(out var series))
        {
            left -= await SeriesAsync(transaction, series, left, ct);
        }

        foreach (var (table, key) in OfRun)
        {
            while (left > 0 && await SomeAsync(transaction, table, "run_id", _run, key, -1, left, ct) is { Rows: > 0 } removed)
            {
                left -= removed.Rows;
            }
        }

        if (left > 0)
        {
            await using var command = _connection.Statement(transaction, "DELETE FROM runs WHERE id = @run").With(("run", _run));
            left -= await command.ExecuteNonQueryAsync(ct);
        }

        await transaction.CommitAsync(ct);
        return most - left;
    }

    /// <summary>Removes some of a series; when nothing of it is left, itself.</summary>
    private async Task<long> SeriesAsync(DbTransaction transaction, long series, long most, CancellationToken ct)
    {
        if (_table < OfSeries.Length)
        {
            var (table, key) = OfSeries[_table];
            var (rows, last) = await SomeAsync(transaction, table, "series_id", series, key, _after, most, ct);
            (_table, _after) = last is { } upTo ? (_table, upTo) : (_table + 1, -1);
            return rows;
        }

        await using var command = _connection.Statement(transaction, "DELETE FROM series WHERE id = @series").With(("series", series));
        await command.ExecuteNonQueryAsync(ct);
        _series.Dequeue();
        _table = 0;
        return 1;
    }

    /// <summary>Removes rows of one owner, from the least key on.</summary>
    /// <returns>How many, and the key up to which; null: that was all.</returns>
    private async Task<(long Rows, long? Last)> SomeAsync(DbTransaction transaction, string table, string owner, object id, string key, long after, long most, CancellationToken ct)
    {
        await using var end = _connection.Statement(transaction, $"SELECT {key} FROM {table} WHERE {owner} = @id AND {key} > @after ORDER BY {key} LIMIT 1 OFFSET @skip").With(("id", id), ("after", after), ("skip", most - 1));
        var last = await end.ExecuteScalarAsync(ct) is { } found and not DBNull ? Convert.ToInt64(found, CultureInfo.InvariantCulture) : default(long?);
        await using var delete = _connection.Statement(transaction, $"DELETE FROM {table} WHERE {owner} = @id AND {key} > @after AND {key} <= @last").With(("id", id), ("after", after), ("last", last ?? long.MaxValue));
        return (await delete.ExecuteNonQueryAsync(ct), last);
    }
}
