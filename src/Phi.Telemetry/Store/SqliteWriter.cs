using System.Globalization;
using Microsoft.Data.Sqlite;
using Phi.Api.Agent;

namespace Phi.Telemetry.Store;

/// <summary>Writes batches over one connection, with statements that are compiled once.</summary>
internal sealed class SqliteWriter : IDisposable
{
    private const string PointSql = """
        INSERT INTO metric_point (series_id, step, ts, value, nonfinite) VALUES ($series, $step, $ts, $value, $nonfinite)
        ON CONFLICT (series_id, step) DO UPDATE SET ts = excluded.ts, value = excluded.value, nonfinite = excluded.nonfinite
        """;

    private const string FineSql = $"""
        INSERT INTO metric_rollup_16 ({RollupSql.Columns})
        SELECT $series, $bucket, count(CASE WHEN nonfinite = 0 THEN 1 END), count(CASE WHEN nonfinite <> 0 THEN 1 END),
            coalesce(min(CASE WHEN nonfinite = 0 THEN value END), 0.0), coalesce(max(CASE WHEN nonfinite = 0 THEN value END), 0.0), total(value),
            coalesce((SELECT value FROM metric_point WHERE series_id = $series AND step BETWEEN $from AND $to AND nonfinite = 0 ORDER BY step DESC LIMIT 1), 0.0),
            max(step), (SELECT ts FROM metric_point WHERE series_id = $series AND step BETWEEN $from AND $to ORDER BY step DESC LIMIT 1)
        FROM metric_point WHERE series_id = $series AND step BETWEEN $from AND $to
        {RollupSql.OnConflict}
        """;

    private const string CoarseSql = $"""
        INSERT INTO metric_rollup_256 ({RollupSql.Columns})
        SELECT $series, $bucket, sum(n), sum(n_nonfinite),
            coalesce(min(CASE WHEN n > 0 THEN min END), 0.0), coalesce(max(CASE WHEN n > 0 THEN max END), 0.0), total(sum),
            coalesce((SELECT last FROM metric_rollup_16 WHERE series_id = $series AND bucket BETWEEN $from AND $to AND n > 0 ORDER BY bucket DESC LIMIT 1), 0.0),
            max(last_step), (SELECT last_ts FROM metric_rollup_16 WHERE series_id = $series AND bucket BETWEEN $from AND $to ORDER BY bucket DESC LIMIT 1)
        FROM metric_rollup_16 WHERE series_id = $series AND bucket BETWEEN $from AND $to
        {RollupSql.OnConflict}
        """;

    private readonly SqliteConnection _connection;
    private readonly SeriesIds _ids;
    private readonly SqliteCommand _point;
    private readonly SqliteCommand _fine;
    private readonly SqliteCommand _coarse;

    private SqliteWriter(SqliteConnection connection, SeriesIds ids)
    {
        (_connection, _ids) = (connection, ids);
        _point = Prepare(PointSql, "$series", "$step", "$ts", "$value", "$nonfinite");
        _fine = Prepare(FineSql, "$series", "$bucket", "$from", "$to");
        _coarse = Prepare(CoarseSql, "$series", "$bucket", "$from", "$to");
    }

    public static async Task<SqliteWriter> OpenAsync(string connectionString, SeriesIds ids, CancellationToken ct)
    {
        var connection = new SqliteConnection(connectionString);
        await connection.OpenAsync(ct);
        return new SqliteWriter(connection, ids);
    }

    /// <summary>Stores a batch, whole or not at all.</summary>
    public async Task WriteAsync(EventBatch batch, PointBatch points, CancellationToken ct)
    {
        await using var transaction = (SqliteTransaction)await _connection.BeginTransactionAsync(ct);
        var rows = new RunRows(_connection, transaction);
        if (!_ids.Knows(batch.JobUid, batch.Attempt, points.FirstStep))
        {
            await rows.WriteAttemptAsync(batch, points.FirstStep, ct);
        }

        var ids = points.Keys.Select(key => _ids.Find(key) ?? Series(transaction, key)).ToList();
        Points(transaction, points.Columns(ids));
        Rollups(transaction, _fine, points.Buckets(ids, RollupSql.FineShift), RollupSql.FineShift);
        Rollups(transaction, _coarse, points.Buckets(ids, RollupSql.CoarseShift), RollupSql.CoarseShift - RollupSql.FineShift);
        await rows.WriteCheckpointsAsync(batch, ct);
        await rows.WriteMarksAsync(batch, ct);
        await new EvaluationRows(_connection, transaction).WriteAsync(batch, ct);
        await transaction.CommitAsync(ct);
        _ids.Remember(batch.JobUid, batch.Attempt, points.FirstStep, points.Keys.Zip(ids));
    }

    public void Dispose()
    {
        _point.Dispose();
        _fine.Dispose();
        _coarse.Dispose();
        _connection.Dispose();
    }

    private void Points(SqliteTransaction transaction, PointColumns points)
    {
        _point.Transaction = transaction;
        var values = _point.Parameters;
        for (var i = 0; i < points.Series.Length; i++)
        {
            values[0].Value = points.Series[i];
            values[1].Value = points.Steps[i];
            values[2].Value = points.Times[i];
            values[3].Value = points.Values[i];
            values[4].Value = points.NonFinite[i];
            _point.ExecuteNonQuery();
        }
    }

    /// <param name="shift">Log2 of how many rows below make one bucket.</param>
    private static void Rollups(SqliteTransaction transaction, SqliteCommand command, (long[] Series, long[] Buckets) touched, int shift)
    {
        command.Transaction = transaction;
        var values = command.Parameters;
        for (var i = 0; i < touched.Series.Length; i++)
        {
            var bucket = touched.Buckets[i];
            values[0].Value = touched.Series[i];
            values[1].Value = bucket;
            values[2].Value = bucket << shift;
            values[3].Value = ((bucket + 1) << shift) - 1;
            command.ExecuteNonQuery();
        }
    }

    private long Series(SqliteTransaction transaction, SeriesKey key)
    {
        (string, object)[] values = [("run", key.Run), ("attempt", key.Attempt), ("rank", key.Rank), ("metric", key.Metric)];
        using var insert = _connection.Statement(transaction, "INSERT INTO series (run_id, attempt, rank, metric) VALUES (@run, @attempt, @rank, @metric) ON CONFLICT DO NOTHING").With(values);
        insert.ExecuteNonQuery();
        using var select = _connection.Statement(transaction, "SELECT id FROM series WHERE run_id = @run AND attempt = @attempt AND rank = @rank AND metric = @metric").With(values);
        return Convert.ToInt64(select.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    private SqliteCommand Prepare(string sql, params string[] names)
    {
        var command = new SqliteCommand(sql, _connection);
        foreach (var name in names)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = name });
        }

        return command;
    }
}
