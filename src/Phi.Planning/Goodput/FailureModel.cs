namespace Phi.Planning.Goodput;

/// <summary>A long run that fails at times. All in seconds.</summary>
public sealed record FailureModel
{
    /// <summary>Mean time between two failures of the job: of a node's, its nodes-th part.</summary>
    public required double MeanTimeBetweenFailures { get; init; }

    /// <summary>From a failure until the first step after it: noticing it, placing, starting, loading.</summary>
    public required double Restart { get; init; }

    /// <summary>That training stands still for a checkpoint.</summary>
    public required double Stall { get; init; }

    /// <summary>From the stall until the checkpoint is committed, beside the training.</summary>
    public required double Write { get; init; }

    /// <summary>Of a step.</summary>
    public required double Step { get; init; }

    /// <summary>To be done.</summary>
    public required long Steps { get; init; }
}
