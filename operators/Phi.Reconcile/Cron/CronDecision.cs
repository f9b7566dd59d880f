using System.Collections.Immutable;
using Phi.Api.CronTrainingJobs;

namespace Phi.Reconcile.Cron;

/// <summary>What to do, the status to write after it was done, and why.</summary>
public sealed record CronDecision
{
    public required ImmutableArray<CronAction> Actions { get; init; }

    public required CronTrainingJobStatus Status { get; init; }

    /// <summary>CamelCase word; that of the condition, too.</summary>
    public required string Reason { get; init; }

    /// <summary>A sentence with the numbers.</summary>
    public required string Message { get; init; }

    /// <summary>Worth an event of type Warning.</summary>
    public bool IsWarning { get; init; }

    /// <summary>When to look again even if nothing changes.</summary>
    public DateTimeOffset? WakeAt { get; init; }
}
