using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Npgsql;
using NpgsqlTypes;
using Phi.Api.Agent;

namespace Phi.Telemetry.Store;

/// <summary>Writes batches over one connection.</summary>
internal sealed class PostgresWriter(NpgsqlConnection connection, SeriesIds ids)
{
    /// <summary>From so many points on, binary COPY into a stage is faster than arrays as parameters.</summary>
    private const int StageFrom = 1000;

    private const string OnConflict = "ON CONFLICT (series_id, step) DO UPDATE SET ts = excluded.ts, value = excluded.value, nonfinite = excluded.nonfinite";

    private const string FineSql = $"""
        INSERT INTO metric_rollup_16 ({RollupSql.Columns})
        SELECT p.series_id, touched.bucket, count(*) FILTER (WHERE nonfinite = 0), count(*) FILTER (WHERE nonfinite <> 0),
            coalesce(min(value) FILTER (WHERE nonfinite = 0), 0), coalesce(max(value) FILTER (WHERE nonfinite = 0), 0), sum(value),
            coalesce((array_agg(value ORDER BY step DESC) FILTER (WHERE nonfinite = 0))[1], 0), max(step), (array_agg(ts ORDER BY step DESC))[1]
        FROM unnest($1, $2) AS touched (series_id, bucket)
            JOIN metric_point p ON p.series_id = touched.series_id AND p.step BETWEEN touched.bucket << 4 AND ((touched.bucket + 1) << 4) - 1
        GROUP BY p.series_id, touched.bucket
        {RollupSql.OnConflict}
        """;

    private const string CoarseSql = $"""
        INSERT INTO metric_rollup_256 ({RollupSql.Columns})
        SELECT f.series_id, touched.bucket, sum(n), sum(n_nonfinite),
            coalesce(min(min) FILTER (WHERE n > 0), 0), coalesce(max(max) FILTER (WHERE n > 0), 0), sum(sum),
            coalesce((array_agg(last ORDER BY f.bucket DESC) FILTER (WHERE n > 0))[1], 0), max(last_step), (array_agg(last_ts ORDER BY f.bucket DESC))[1]
        FROM unnest($1, $2) AS touched (series_id, bucket)
            JOIN metric_rollup_16 f ON f.series_id = touched.series_id AND f.bucket BETWEEN touched.bucket << 4 AND ((touched.bucket + 1) << 4) - 1
        GROUP BY f.series_id, touched.bucket
        {RollupSql.OnConflict}
        """;

    /// <summary>Stores a batch, whole or not at all.</summary>
    public async Task WriteAsync(EventBatch batch, PointBatch points, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await LockAsync(batch, ct);
        var rows = new RunRows(connection, transaction);
        if (!ids.Knows(batch.JobUid, batch.Attempt, points.FirstStep))
        {
            await rows.WriteAttemptAsync(batch, points.FirstStep, ct);
        }

        var series = await SeriesAsync(points.Keys, ct);
        if (points.Count > 0)
        {
            await PointsAsync(points.Columns(series), ct);
            await RollupsAsync(FineSql, points.Buckets(series, RollupSql.FineShift), ct);
            await RollupsAsync(CoarseSql, points.Buckets(series, RollupSql.CoarseShift), ct);
        }

        await rows.WriteCheckpointsAsync(batch, ct);
        await rows.WriteMarksAsync(batch, ct);
        await new EvaluationRows(connection, transaction).WriteAsync(batch, ct);
        await transaction.CommitAsync(ct);
        ids.Remember(batch.JobUid, batch.Attempt, points.FirstStep, points.Keys.Zip(series));
    }

    /// <summary>
    /// Two transactions with points of one bucket would each compute its roll-up without the other's: so only one at a time writes a
    /// rank's series. Pods of one gang do not wait for each other.
    /// </summary>
    private async Task LockAsync(EventBatch batch, CancellationToken ct)
    {
        var keys = batch.Steps.Select(step => step.Rank).Concat(batch.Evaluations.Select(_ => PointBatch.EvaluatingRank)).Distinct()
            .Select(rank => BinaryPrimitives.ReadInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{batch.JobUid}/{rank}")))))
            .Order().ToArray();
        if (keys.Length > 0)
        {
            await ExecuteAsync("SELECT pg_advisory_xact_lock(key) FROM unnest($1) AS key", ct, keys);
        }
    }

    private async Task<long[]> SeriesAsync(IReadOnlyList<SeriesKey> keys, CancellationToken ct)
    {
        var found = keys.Select(ids.Find).ToArray();
        var missing = Enumerable.Range(0, found.Length).Where(i => found[i] is null).ToList();
        if (missing.Count > 0)
        {
            object[] columns = [missing.Select(i => keys[i].Run).ToArray(), missing.Select(i => keys[i].Attempt).ToArray(), missing.Select(i => keys[i].Rank).ToArray(), missing.Select(i => keys[i].Metric).ToArray()];
            await ExecuteAsync("INSERT INTO series (run_id, attempt, rank, metric) SELECT * FROM unnest($1, $2, $3, $4) ON CONFLICT DO NOTHING", ct, columns);
            await using var command = Command("""
                SELECT wanted.at, s.id FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS wanted (run_id, attempt, rank, metric, at)
                JOIN series s ON s.run_id = wanted.run_id AND s.attempt = wanted.attempt AND s.rank = wanted.rank AND s.metric = wanted.metric
                """, columns);
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                found[missing[(int)reader.GetInt64(0) - 1]] = reader.GetInt64(1);
            }
        }

        return [.. found.Select(id => id!.Value)];
    }

    private async Task PointsAsync(PointColumns points, CancellationToken ct)
    {
        if (points.Series.Length < StageFrom)
        {
            await ExecuteAsync(
                $"INSERT INTO metric_point (series_id, step, ts, value, nonfinite) SELECT * FROM unnest($1, $2, $3, $4, $5) {OnConflict}",
                ct, points.Series, points.Steps, points.Times, points.Values, points.NonFinite);
            return;
        }

        // A temporary table is this connection's alone, and nothing of it goes to the write-ahead log.
        await ExecuteAsync("CREATE TEMPORARY TABLE IF NOT EXISTS metric_stage (series_id bigint, step bigint, ts bigint, value float8, nonfinite int2) ON COMMIT DELETE ROWS", ct);
        await using (var stage = await connection.BeginBinaryImportAsync("COPY metric_stage (series_id, step, ts, value, nonfinite) FROM STDIN (FORMAT BINARY)", ct))
        {
            for (var i = 0; i < points.Series.Length; i++)
            {
                await stage.StartRowAsync(ct);
                await stage.WriteAsync(points.Series[i], NpgsqlDbType.Bigint, ct);
                await stage.WriteAsync(points.Steps[i], NpgsqlDbType.Bigint, ct);
                await stage.WriteAsync(points.Times[i], NpgsqlDbType.Bigint, ct);
                await stage.WriteAsync(points.Values[i], NpgsqlDbType.Double, ct);
                await stage.WriteAsync(points.NonFinite[i], NpgsqlDbType.Smallint, ct);
            }

            await stage.CompleteAsync(ct);
        }

        await ExecuteAsync($"INSERT INTO metric_point (series_id, step, ts, value, nonfinite) SELECT series_id, step, ts, value, nonfinite FROM metric_stage {OnConflict}", ct);
    }

    private Task RollupsAsync(string sql, (long[] Series, long[] Buckets) touched, CancellationToken ct) => ExecuteAsync(sql, ct, touched.Series, touched.Buckets);

    private async Task ExecuteAsync(string sql, CancellationToken ct, params object[] parameters)
    {
        await using var command = Command(sql, parameters);
        await command.ExecuteNonQueryAsync(ct);
    }

    private NpgsqlCommand Command(string sql, object[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return command;
    }
}
