namespace Phi.Telemetry.Model;

/// <summary>One training job's life; the id is the job's uid.</summary>
internal sealed class RunRow
{
    public required string Id { get; init; }
    public required string Namespace { get; init; }
    public required string Job { get; init; }
}

/// <summary>One metric of one rank at one attempt. The attempt is part of it, so that a rewind overwrites nothing.</summary>
internal sealed class SeriesRow
{
    public long Id { get; init; }
    public required string RunId { get; init; }
    public required int Attempt { get; init; }
    public required int Rank { get; init; }
    public required string Metric { get; init; }
}

/// <summary>One value at one step. A value that is not finite is 0 in <see cref="Value"/> and named in <see cref="NonFinite"/>.</summary>
internal sealed class MetricPointRow
{
    public required long SeriesId { get; init; }
    public required long Step { get; init; }
    /// <summary>Milliseconds since 1970, UTC.</summary>
    public required long Ts { get; init; }
    public required double Value { get; init; }
    /// <summary>0 finite, 1 NaN, 2 infinity, 3 negative infinity.</summary>
    public required int NonFinite { get; init; }
}

/// <summary>A committed checkpoint.</summary>
internal sealed class CheckpointRow
{
    public required string RunId { get; init; }
    public required long Step { get; init; }
    public required int Attempt { get; init; }
    public required long Ts { get; init; }
    public required string Uri { get; init; }
    public required long Bytes { get; init; }
    public required double Seconds { get; init; }
    /// <summary>Of <see cref="Seconds"/>, what training stood still.</summary>
    public required double StallSeconds { get; init; }
}
