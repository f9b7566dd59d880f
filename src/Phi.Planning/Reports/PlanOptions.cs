namespace Phi.Planning.Reports;

/// <summary>What else is asked of a plan.</summary>
public sealed record PlanOptions
{
    /// <summary>Nodes to play the step on; null: none.</summary>
    public int? SimulatedNodes { get; init; }

    /// <summary>Mean time between two failures of one node; null: nothing is said of failures.</summary>
    public TimeSpan? NodeMeanTimeBetweenFailures { get; init; }

    /// <summary>From a failure until ranks load their checkpoint. Default 2 minutes.</summary>
    public TimeSpan Restart { get; init; } = TimeSpan.FromMinutes(2);
}
