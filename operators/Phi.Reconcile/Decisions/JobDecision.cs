using System.Collections.Immutable;
using Phi.Api.TrainingJobs;

namespace Phi.Reconcile.Decisions;

/// <summary>What to do, the status to write before it is done, and why.</summary>
public sealed record JobDecision
{
    public required ImmutableArray<JobAction> Actions { get; init; }

    /// <summary>Without progress, checkpoint and goodput, which have their own writer. Null: leave the status alone.</summary>
    public TrainingJobStatus? Status { get; init; }

    /// <summary>CamelCase word.</summary>
    public required string Reason { get; init; }

    /// <summary>A sentence with the numbers.</summary>
    public required string Message { get; init; }

    /// <summary>Look again after this long even if nothing changes.</summary>
    public TimeSpan? RequeueAfter { get; init; }

    /// <summary>Whether it is told as an event. Not what is true of an ended job for good: an operator that starts would tell it of each anew.</summary>
    public bool IsTold { get; init; } = true;

    /// <summary>Worth an event of type Warning.</summary>
    public bool IsWarning { get; init; }
}
