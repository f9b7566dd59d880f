using System.Data.Common;
using Phi.Telemetry.Series;

namespace Phi.Telemetry.Store;

/// <summary>
/// Reads curves, over a connection to either database. A curve is stitched of its attempts, and each attempt's part is read at the coarsest
/// level whose buckets lie whole within those that are asked for; where a part begins or ends inside of such a bucket, its points are read.
/// So every figure is that of the points themselves.
/// </summary>
internal sealed class SeriesReader(DbConnection connection)
{
    private const string PointsSql = "SELECT step, ts, value, nonfinite FROM metric_point WHERE series_id = @series AND step BETWEEN @from AND @to ORDER BY step";

    /// <summary>Log2 of the buckets' sizes, coarsest first, and how each level is read.</summary>
    private static readonly (int Shift, string Sql)[] Levels = [(RollupSql.CoarseShift, Rollups("metric_rollup_256")), (RollupSql.FineShift, Rollups("metric_rollup_16")), (0, PointsSql)];

    /// <param name="fromStep">Null: the first.</param>
    /// <param name="toStep">Null: the last.</param>
    public async Task<SeriesData> ReadAsync(SeriesQuery query, long? fromStep, long? toStep, CancellationToken ct)
    {
        var parts = await PartsAsync(query, ct);
        var kept = parts.Where(part => part.KeptTo >= part.First).ToList();
        var (first, last) = kept.Count == 0 ? (0, 0) : (kept[0].First, kept[^1].KeptTo);
        // Lost steps may lie beyond what the curve has come to again.
        var (from, to) = (Math.Max(fromStep ?? first, first), Math.Min(toStep ?? long.MaxValue, parts.Count == 0 ? 0 : parts.Max(part => part.Last)));
        var shift = Shift(from, to, query.Buckets);
        var curve = new BucketBuilder(shift);
        var lost = new List<LostPart>();
        foreach (var part in parts)
        {
            await ReadAsync(part, Math.Max(from, part.First), Math.Min(to, part.KeptTo), shift, curve, ct);
            if (part.LostFrom <= part.Last)
            {
                var ghost = new BucketBuilder(shift);
                await ReadAsync(part, Math.Max(from, Math.Max(part.First, part.LostFrom)), Math.Min(to, part.Last), shift, ghost, ct);
                if (!ghost.IsEmpty)
                {
                    lost.Add(new LostPart(part.Attempt, ghost.Build()));
                }
            }
        }

        return new SeriesData
        {
            Query = query,
            BucketSteps = 1L << shift,
            FirstStep = first,
            LastStep = last,
            Columns = curve.Build(),
            Attempts = [.. parts.Select(part => new AttemptRange(part.Attempt, part.First, part.Last, Math.Max(0, part.Last - Math.Max(part.First, part.LostFrom) + 1)))],
            Lost = lost,
        };
    }

    /// <summary>Log2 of the least power of two that covers the range in so many buckets.</summary>
    private static int Shift(long from, long to, int buckets)
    {
        var shift = 0;
        while ((to >> shift) - (from >> shift) + 1 > buckets)
        {
            shift++;
        }

        return shift;
    }

    /// <summary>The attempts' parts of the curve, by attempt.</summary>
    private async Task<List<Part>> PartsAsync(SeriesQuery query, CancellationToken ct)
    {
        const string sql = """
            SELECT a.attempt, a.first_step, s.id,
                (SELECT min(step) FROM metric_point WHERE series_id = s.id),
                (SELECT max(step) FROM metric_point WHERE series_id = s.id)
            FROM attempts a LEFT JOIN series s ON s.run_id = a.run_id AND s.attempt = a.attempt AND s.metric = @metric AND s.rank = @rank
            WHERE a.run_id = @run ORDER BY a.attempt DESC
            """;
        var parts = new List<Part>();
        await using var command = connection.Statement(null, sql).With(("run", query.Run), ("metric", query.Metric), ("rank", query.Rank));
        await using var reader = await command.ExecuteReaderAsync(ct);
        var cut = long.MaxValue;
        while (await reader.ReadAsync(ct))
        {
            if (!reader.IsDBNull(2) && !reader.IsDBNull(3))
            {
                parts.Add(new Part(reader.GetInt32(0), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4), cut));
            }

            cut = Math.Min(cut, reader.GetInt64(1));
        }

        parts.Reverse();
        return parts;
    }

    private async Task ReadAsync(Part part, long from, long to, int shift, BucketBuilder into, CancellationToken ct)
    {
        if (from > to)
        {
            return;
        }

        var level = Levels.First(candidate => candidate.Shift <= shift);
        // Beyond its first and last point a series has nothing that a roll-up could hold too much of.
        var firstBucket = from <= part.First ? part.First >> level.Shift : (from + (1L << level.Shift) - 1) >> level.Shift;
        var lastBucket = to >= part.Last ? part.Last >> level.Shift : ((to + 1) >> level.Shift) - 1;
        if (level.Shift == 0 || firstBucket > lastBucket)
        {
            await ReadPointsAsync(part.Series, from, to, into, ct);
            return;
        }

        await ReadPointsAsync(part.Series, from, Math.Min(to, (firstBucket << level.Shift) - 1), into, ct);
        await ReadRollupsAsync(part.Series, level.Sql, firstBucket, lastBucket, into, ct);
        await ReadPointsAsync(part.Series, Math.Max(from, (lastBucket + 1) << level.Shift), to, into, ct);
    }

    private async Task ReadPointsAsync(long series, long from, long to, BucketBuilder into, CancellationToken ct)
    {
        if (from > to)
        {
            return;
        }

        await using var command = Range(PointsSql, series, from, to);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            into.Add(BucketBuilder.Span.Point(reader.GetInt64(0), reader.GetInt64(1), reader.GetDouble(2), reader.GetInt16(3)));
        }
    }

    private async Task ReadRollupsAsync(long series, string sql, long from, long to, BucketBuilder into, CancellationToken ct)
    {
        await using var command = Range(sql, series, from, to);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            into.Add(new BucketBuilder.Span(
                reader.GetInt64(0), reader.GetInt64(1), reader.GetInt32(2), reader.GetInt32(3), reader.GetDouble(4), reader.GetDouble(5), reader.GetDouble(6), reader.GetDouble(7)));
        }
    }

    private DbCommand Range(string sql, long series, long from, long to) => connection.Statement(null, sql).With(("series", series), ("from", from), ("to", to));

    private static string Rollups(string table) =>
        $"SELECT last_step, last_ts, n, n_nonfinite, min, max, sum, last FROM {table} WHERE series_id = @series AND bucket BETWEEN @from AND @to ORDER BY bucket";

    /// <summary>One attempt's points of the curve, from <paramref name="First"/> to <paramref name="Last"/>; from <paramref name="LostFrom"/> on they are lost.</summary>
    private sealed record Part(int Attempt, long Series, long First, long Last, long LostFrom)
    {
        public long KeptTo => Math.Min(Last, LostFrom - 1);
    }
}
