namespace Phi.Telemetry.Series;

/// <summary>What a curve is drawn over.</summary>
public enum SeriesAxis
{
    /// <summary>Steps completed.</summary>
    Step,

    /// <summary>Tokens trained on, by rank 0's word.</summary>
    Tokens,

    /// <summary>When the step was completed, milliseconds since 1970.</summary>
    Time,

    /// <summary>Seconds that the steps of the effective curve took, from the first one on; lost work and waiting are not in it.</summary>
    Training,
}
