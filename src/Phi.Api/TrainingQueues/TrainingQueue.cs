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
    /// <summary>Accelerators that the queue owns.</summary>
    public int? Nominal { get; set; }
    /// <summary>Accelerators beyond nominal that may be borrowed from the cohort. Null: no limit.</summary>
    public int? BorrowingLimit { get; set; }
    /// <summary>Of nominal, how many others may borrow. Null: all.</summary>
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
    /// <summary>By jobs whose quota is reserved, from this queue.</summary>
    public int? Used { get; set; }
    /// <summary>Of used, what is above nominal.</summary>
    public int? Borrowed { get; set; }
    /// <summary>Of nominal, what others of the cohort use.</summary>
    public int? Lent { get; set; }
    public int? Nominal { get; set; }
    /// <summary>Kept free for the first pending job.</summary>
    public int? Reserved { get; set; }
}

/// <summary>A job that waits, in the order in which the queue considers it. At most the first 100 are listed; pendingJobs counts all.</summary>
public sealed class PendingJobStatus
{
    /// <summary>NAMESPACE/NAME.</summary>
    public string? Job { get; set; }
    /// <summary>From 1.</summary>
    public int? Position { get; set; }
    public int? Priority { get; set; }
    /// <summary>Accelerators that the whole gang needs.</summary>
    public int? Accelerators { get; set; }
    /// <summary>CamelCase word.</summary>
    public string? Reason { get; set; }
    public string? Message { get; set; }
    /// <summary>The earliest thing that would admit it, such as the end of a certain job.</summary>
    public string? WaitsFor { get; set; }
}
