namespace Phi.Telemetry.Series;

/// <summary>One collective's bytes per step, summed over ranks. Within nodes, and across them.</summary>
/// <param name="Collective">In words, such as <c>all-gather</c>.</param>
public sealed record CollectiveTraffic(string Collective, double WithinNodes, double AcrossNodes);

/// <summary>
/// What the ranks sent in the recent steps of a run's newest attempt. Bytes are means per step, summed over ranks. A step has what was
/// sent within it: evaluations and checkpoints, between steps, are not counted.
/// </summary>
public sealed record TrafficData
{
    public required int Attempt { get; init; }
    public required long FirstStep { get; init; }
    /// <summary>The newest step that every one of <see cref="Ranks"/> has reported.</summary>
    public required long LastStep { get; init; }
    /// <summary>Ranks that have reported traffic in this attempt.</summary>
    public required int Ranks { get; init; }
    /// <summary>Collectives that moved bytes, most bytes first.</summary>
    public required IReadOnlyList<CollectiveTraffic> Collectives { get; init; }
    /// <summary>Share of the time spent communicating that the compute did not wait for, from 0 to 1; null if none was spent.</summary>
    public required double? HiddenShare { get; init; }

    public double WithinNodes => Collectives.Sum(collective => collective.WithinNodes);

    public double AcrossNodes => Collectives.Sum(collective => collective.AcrossNodes);
}
