using System.Collections.Immutable;
using Phi.Api.TrainingJobs;

namespace Phi.Reconcile.Policies;

/// <summary>What ended an attempt.</summary>
/// <param name="IsCharged">A fault of the job; false: a disruption, which is free.</param>
/// <param name="IsFatal">No restart mends it.</param>
/// <param name="Reason">CamelCase word.</param>
/// <param name="Message">Who, where and what, with the numbers; without a full stop.</param>
public sealed record AttemptFailure(bool IsCharged, bool IsFatal, string Reason, string Message)
{
    /// <summary>Exit code of the rank or pod that ended.</summary>
    public int? ExitCode { get; init; }

    /// <summary>What the rank or pod said itself.</summary>
    public string? Words { get; init; }

    /// <summary>Where it happened, if that is one node.</summary>
    public string? Node { get; init; }

    /// <summary>Nodes that the job keeps away from because of this.</summary>
    public ImmutableArray<ExcludedNodeStatus> Excluded { get; init; } = [];

    /// <summary>The loss diverged, and the next attempt goes back to before.</summary>
    public bool IsRollback { get; init; }

    /// <summary>Batch that the attempts to come leave out.</summary>
    public long? SkippedBatch { get; init; }
}
