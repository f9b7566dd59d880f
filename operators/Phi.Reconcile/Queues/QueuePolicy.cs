using System.Collections.Immutable;

namespace Phi.Reconcile.Queues;

public enum QueueOrder
{
    /// <summary>The first job that does not fit keeps what it needs; others go on with what it cannot use.</summary>
    StrictFifo,

    /// <summary>Whatever fits goes on.</summary>
    BestEffortFifo,
}

/// <summary>Which jobs of borrowing queues a queue of the cohort may evict.</summary>
public enum ReclaimPolicy
{
    Never,
    LowerPriority,
    Any,
}

/// <summary>A queue's rules, defaults filled in.</summary>
public sealed record QueuePolicy
{
    public required string Name { get; init; }

    /// <summary>Null: neither borrows nor lends.</summary>
    public string? Cohort { get; init; }

    public QueueOrder Order { get; init; } = QueueOrder.StrictFifo;

    /// <summary>Within the queue, a job may evict those of lower priority.</summary>
    public bool PreemptsLowerPriority { get; init; } = true;

    public ReclaimPolicy Reclaim { get; init; } = ReclaimPolicy.Never;

    /// <summary>What the victims of this queue's jobs have to save in.</summary>
    public TimeSpan CheckpointDeadline { get; init; } = TimeSpan.FromSeconds(60);

    public required ImmutableArray<TypeQuota> Quotas { get; init; }

    /// <summary>What is wrong with the queue's spec: it admits nothing. Null: nothing.</summary>
    public string? Problem { get; init; }
}

/// <summary>Accelerators of one type, as in the spec of a queue.</summary>
public sealed record TypeQuota(string AcceleratorType, int Nominal, int? BorrowingLimit = null, int? LendingLimit = null);
