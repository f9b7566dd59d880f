namespace Phi.Telemetry.Store;

/// <summary>What the roll-ups of both databases have in common; how one is computed each writer says in its own words.</summary>
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
