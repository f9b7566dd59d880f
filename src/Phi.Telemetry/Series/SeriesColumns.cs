namespace Phi.Telemetry.Series;

/// <summary>Buckets of steps as columns of equal length, in the order of their steps. A bucket without a finite value has NaN for each figure of them.</summary>
public sealed record SeriesColumns
{
    /// <summary>Where the bucket's newest step lies on the axis; NaN where that is not known.</summary>
    public required double[] X { get; init; }

    /// <summary>Newest step in the bucket.</summary>
    public required double[] Step { get; init; }

    /// <summary>When it was completed, milliseconds since 1970.</summary>
    public required double[] Time { get; init; }

    public required double[] Min { get; init; }

    public required double[] Max { get; init; }

    public required double[] Average { get; init; }

    /// <summary>The newest finite value.</summary>
    public required double[] Last { get; init; }

    /// <summary>Finite values in the bucket.</summary>
    public required double[] Count { get; init; }

    /// <summary>Values in the bucket that are NaN or infinite.</summary>
    public required double[] NonFinite { get; init; }
}
