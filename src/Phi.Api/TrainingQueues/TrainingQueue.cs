using Phi.Api.Metadata;

namespace Phi.Api.TrainingQueues;

/// <summary>A team's quota. Cluster-scoped; short name <c>tq</c>.</summary>
public sealed class TrainingQueue
{
    public string ApiVersion { get; set; } = PhiNames.ApiVersion;
    public string Kind { get; set; } = "TrainingQueue";
    public ObjectMeta Metadata { get; set; } = new();
    public TrainingQueueSpec Spec { get; set; } = new();
    public TrainingQueueStatus? Status { get; set; }
}

public sealed class TrainingQueueSpec
{
    /// <summary>One entry per accelerator type.</summary>
    public List<QueueQuotaSpec>? Quotas { get; set; }
    /// <summary>Queues of one cohort may lend each other unused quota.</summary>
    public string? Cohort { get; set; }
    /// <summary>StrictFifo (reservation and backfill) or BestEffortFifo. Default StrictFifo.</summary>
    public string? Order { get; set; }
    public QueuePreemptionSpec? Preemption { get; set; }
}

public sealed class QueueQuotaSpec
{
    public string? AcceleratorType { get; set; }
    public int? Nominal { get; set; }
    public int? BorrowingLimit { get; set; }
    public int? LendingLimit { get; set; }
}

public sealed class QueuePreemptionSpec
{
    /// <summary>Never or LowerPriority. Default LowerPriority.</summary>
    public string? WithinQueue { get; set; }
    /// <summary>Never, LowerPriority or Any. Default Never.</summary>
    public string? ReclaimWithinCohort { get; set; }
    /// <summary>Time a victim has to checkpoint, such as 60s. Default 60s.</summary>
    public string? CheckpointDeadline { get; set; }
}

public sealed class TrainingQueueStatus
{
    public long? ObservedGeneration { get; set; }
    public List<Condition>? Conditions { get; set; }
    public List<QueueUsageStatus>? Usage { get; set; }
    public int? PendingJobs { get; set; }
    public int? AdmittedJobs { get; set; }
    public List<PendingJobStatus>? Pending { get; set; }
}

public sealed class QueueUsageStatus
{
    public string? AcceleratorType { get; set; }
    public int? Used { get; set; }
    public int? Borrowed { get; set; }
    public int? Nominal { get; set; }
}

public sealed class PendingJobStatus
{
    public string? Job { get; set; }
    public int? Position { get; set; }
    public string? Reason { get; set; }
    public string? Message { get; set; }
}
