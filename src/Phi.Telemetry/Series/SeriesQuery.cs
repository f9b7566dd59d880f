namespace Phi.Telemetry.Series;

/// <summary>Which part of which curve, and how finely.</summary>
public sealed record SeriesQuery
{
    public const int MostBuckets = 10_000;

    /// <summary>The job's uid.</summary>
    public required string Run { get; init; }

    public required string Metric { get; init; }

    public int Rank { get; init; }

    public SeriesAxis Axis { get; init; }

    /// <summary>Where the range begins, on the axis. Null: with the first point. On any axis but steps the answer may begin up to a bucket earlier.</summary>
    public double? From { get; init; }

    /// <summary>Where it ends. Null: with the last point. On any axis but steps the answer may end up to a bucket later.</summary>
    public double? To { get; init; }

    /// <summary>At most so many buckets, from 1 to <see cref="MostBuckets"/>. There are at least half as many if there are as many points.</summary>
    public int Buckets { get; init; } = 1000;
}
