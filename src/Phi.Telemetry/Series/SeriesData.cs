namespace Phi.Telemetry.Series;

/// <summary>Where an attempt's part of the effective curve begins.</summary>
/// <param name="FirstStep">First step that the attempt reported.</param>
/// <param name="LastStep">Last step of this curve that the attempt reported.</param>
/// <param name="LostSteps">Steps of them that a later attempt did again, or is about to.</param>
public sealed record AttemptRange(int Attempt, long FirstStep, long LastStep, long LostSteps);

/// <summary>What one attempt did beyond the step at which a later one began again.</summary>
public sealed record LostPart(int Attempt, SeriesColumns Columns);

/// <summary>The effective curve: of steps that were done twice the later attempt's.</summary>
public sealed record SeriesData
{
    public required SeriesQuery Query { get; init; }

    /// <summary>Steps that a bucket spans: a power of two, and buckets begin at its multiples, so that they stay the same while a range moves.</summary>
    public required long BucketSteps { get; init; }

    /// <summary>Whole range of the effective curve, whatever was asked for; 0 if it has no point.</summary>
    public required long FirstStep { get; init; }

    public required long LastStep { get; init; }

    public required SeriesColumns Columns { get; init; }

    /// <summary>All attempts that have points of this curve, whatever range was asked for.</summary>
    public required IReadOnlyList<AttemptRange> Attempts { get; init; }

    /// <summary>In the range that was asked for.</summary>
    public required IReadOnlyList<LostPart> Lost { get; init; }
}
