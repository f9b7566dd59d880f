namespace Phi.Telemetry.Series;

/// <summary>One stored value.</summary>
public readonly record struct CurvePoint(int Attempt, long Step, long Milliseconds, double Value);

/// <summary>A committed checkpoint.</summary>
public sealed record CheckpointRecord(long Step, int Attempt, DateTimeOffset Time, string Uri, long Bytes, double Seconds, double StallSeconds);

/// <summary>Where an attempt's part of the effective curve begins.</summary>
/// <param name="FirstStep">First step that the attempt reported.</param>
/// <param name="LostSteps">Steps that the attempt did and a later one did again.</param>
public sealed record AttemptRange(int Attempt, long FirstStep, long LastStep, long LostSteps);

/// <summary>
/// The effective curve: of steps that were done twice the later attempt's. Columns of equal length, one entry for each bucket; a bucket
/// covers steps up to <see cref="Steps"/>. A curve that is short enough has one bucket a step.
/// </summary>
public sealed record CurveData
{
    public required IReadOnlyList<double> Steps { get; init; }
    public required IReadOnlyList<double> Minimum { get; init; }
    public required IReadOnlyList<double> Maximum { get; init; }
    public required IReadOnlyList<double> Average { get; init; }
    public required IReadOnlyList<double> Last { get; init; }
    public required IReadOnlyList<AttemptRange> Attempts { get; init; }
    /// <summary>Steps on the effective curve.</summary>
    public required long Points { get; init; }
    /// <summary>Steps whose value is NaN or infinite; they are in no bucket.</summary>
    public required IReadOnlyList<double> NonFiniteSteps { get; init; }
}
