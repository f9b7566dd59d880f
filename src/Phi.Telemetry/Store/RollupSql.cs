namespace Phi.Telemetry.Store;

/// <summary>How a roll-up is computed; the same words in both databases, but for how the newest of a group is told.</summary>
internal static class RollupSql
{
    /// <summary>Log2 of the buckets' sizes.</summary>
    public const int FineShift = 4;
    public const int CoarseShift = 8;

    public const string Columns = "series_id, bucket, n, n_nonfinite, min, max, sum, last, last_step, last_ts";

    public const string OnConflict = """
        ON CONFLICT (series_id, bucket) DO UPDATE SET n = excluded.n, n_nonfinite = excluded.n_nonfinite, min = excluded.min, max = excluded.max,
            sum = excluded.sum, last = excluded.last, last_step = excluded.last_step, last_ts = excluded.last_ts
        """;
}
