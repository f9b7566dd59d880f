namespace Phi.Telemetry.Model;

/// <summary>One training job's life; the id is the job's uid.</summary>
internal sealed class RunRow
{
    public required string Id { get; init; }
    public required string Namespace { get; init; }
    public required string Job { get; init; }
}

/// <summary>One attempt of a run. Its first step is where it forks off the attempts before it: what they did from there on is lost.</summary>
internal sealed class AttemptRow
{
    public required string RunId { get; init; }
    public required int Attempt { get; init; }
    /// <summary>Lowest step that any of its ranks reported.</summary>
    public required long FirstStep { get; init; }
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
    public required short NonFinite { get; init; }
}

/// <summary>
/// The points of a series in one bucket of steps, from <c>Bucket × size</c> to before <c>(Bucket + 1) × size</c>. Always computed from the
/// points, never added to, so what comes twice or late changes nothing it should not.
/// </summary>
internal abstract class RollupRow
{
    public required long SeriesId { get; init; }
    public required long Bucket { get; init; }
    /// <summary>Finite values; <see cref="Min"/>, <see cref="Max"/>, <see cref="Sum"/> and <see cref="Last"/> are theirs, or 0 if there is none.</summary>
    public required int N { get; init; }
    public required int NonFinite { get; init; }
    public required double Min { get; init; }
    public required double Max { get; init; }
    public required double Sum { get; init; }
    public required double Last { get; init; }
    /// <summary>Of the newest point, finite or not.</summary>
    public required long LastStep { get; init; }
    public required long LastTs { get; init; }
}

/// <summary>Buckets of 16 steps.</summary>
internal sealed class Rollup16Row : RollupRow;

/// <summary>Buckets of 256 steps.</summary>
internal sealed class Rollup256Row : RollupRow;

/// <summary>How far an attempt has come; of a name that is told again the latest time counts.</summary>
internal sealed class MarkRow
{
    public required string RunId { get; init; }
    public required int Attempt { get; init; }
    public required string Name { get; init; }
    public required long Ts { get; init; }
}

/// <summary>What the operator decided about a job, when it was something new.</summary>
internal sealed class TransitionRow
{
    public required string RunId { get; init; }
    public required long Ts { get; init; }
    public required string Reason { get; init; }
    public required string Message { get; init; }
    public required bool IsWarning { get; init; }
    public required int Attempt { get; init; }
    /// <summary>The job's phase from then on.</summary>
    public required string Phase { get; init; }
}

/// <summary>How an attempt ended.</summary>
internal sealed class InterruptionRow
{
    public required string RunId { get; init; }
    public required int Attempt { get; init; }
    public required long Ts { get; init; }
    public required string Reason { get; init; }
    public required string Message { get; init; }
    public required bool Charged { get; init; }
    public required long Step { get; init; }
    public required long ResumeStep { get; init; }
    public required long LostSteps { get; init; }
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

/// <summary>What came of one checkpoint and one suite.</summary>
internal sealed class EvaluationRow
{
    public required string RunId { get; init; }
    public required long Step { get; init; }
    public required string Suite { get; init; }
    /// <summary>The one that committed the checkpoint.</summary>
    public required int Attempt { get; init; }
    public required long Ts { get; init; }
    /// <summary>Why there is no score; null: there is one.</summary>
    public required string? Reason { get; init; }
    public required string Message { get; init; }
    public required int Problems { get; init; }
    public required int Samples { get; init; }
    public required int Passed { get; init; }
    /// <summary>pass@k by k, as a JSON object.</summary>
    public required string PassAt { get; init; }
    public required double Temperature { get; init; }
    public required double TopP { get; init; }
    public required int MaxTokens { get; init; }
    public required string? Sha256 { get; init; }
    public required double Seconds { get; init; }
}

/// <summary>One problem of an evaluation.</summary>
internal sealed class EvaluationProblemRow
{
    public required string RunId { get; init; }
    public required long Step { get; init; }
    public required string Suite { get; init; }
    public required int Number { get; init; }
    public required int Attempt { get; init; }
    public required string Name { get; init; }
    public required int Samples { get; init; }
    public required int Passed { get; init; }
    /// <summary>Of the first sample that failed; if none did, that it passed.</summary>
    public required string Verdict { get; init; }
    public required string Prompt { get; init; }
    /// <summary>The first samples, as a JSON array.</summary>
    public required string Shown { get; init; }
}

/// <summary>What one attempt's time went to; more at <see cref="Goodput.AttemptGoodput"/>.</summary>
internal sealed class GoodputRow
{
    public required string RunId { get; init; }
    public required int Attempt { get; init; }
    public required long Steps { get; init; }
    public required long FirstStep { get; init; }
    public required long LastStep { get; init; }
    public required long StartTs { get; init; }
    public required long EndTs { get; init; }
    public required double ProductiveSeconds { get; init; }
    public required double LostSeconds { get; init; }
    public required long? LostFromStep { get; init; }
    public required double? Tokens { get; init; }
    public required double? FirstLoss { get; init; }
    public required double? Loss { get; init; }
    /// <summary>As of a point.</summary>
    public required short LossNonFinite { get; init; }
    public required double MissedStallSeconds { get; init; }
    public required long? MissedTs { get; init; }
}

/// <summary>What somebody did, or was refused, by way of the dashboard; in the order of <see cref="Id"/>.</summary>
internal sealed class AuditRow
{
    public long Id { get; init; }
    public required long Ts { get; init; }
    public required string Actor { get; init; }
    public required string Role { get; init; }
    public required string Action { get; init; }
    /// <summary>Empty: the object is in none.</summary>
    public required string Namespace { get; init; }
    public required string Kind { get; init; }
    public required string Name { get; init; }
    public required string Outcome { get; init; }
    public required string Detail { get; init; }
}

/// <summary>When a work that comes again and again was last done.</summary>
internal sealed class UpkeepRow
{
    public required string Name { get; init; }
    public required long Ts { get; init; }
}
