namespace Phi.Api.TrainingJobs;

/// <summary>Values of status.phase.</summary>
public static class TrainingPhase
{
    public const string Pending = "Pending";
    public const string Starting = "Starting";
    public const string Running = "Running";
    public const string Restarting = "Restarting";
    public const string Suspended = "Suspended";
    public const string Succeeded = "Succeeded";
    public const string Failed = "Failed";
}

/// <summary>Reasons in status.interruptions that others read.</summary>
public static class InterruptionReasons
{
    /// <summary>The attempt was suspended; the interruption's time is that of the resumption.</summary>
    public const string Resumed = "Resumed";
}

/// <summary>Condition types of a TrainingJob; Kueue's words where they exist.</summary>
public static class TrainingConditions
{
    public const string QuotaReserved = "QuotaReserved";
    public const string Admitted = "Admitted";
    public const string PodsReady = "PodsReady";
    public const string Evicted = "Evicted";
    public const string Preempted = "Preempted";
    public const string Requeued = "Requeued";
    public const string Training = "Training";
    public const string Straggler = "Straggler";
    /// <summary>A checkpoint is committed; the status names the newest.</summary>
    public const string Checkpointed = "Checkpointed";
    public const string Finished = "Finished";
    /// <summary>The job that spec.phi.initialize names has a checkpoint; if not, why.</summary>
    public const string Initialized = "Initialized";
    /// <summary>Every pod of the gang has its node; if not, why.</summary>
    public const string Placed = "Placed";
    /// <summary>The ranks are asked to save and leave, so that the next attempt has more pods.</summary>
    public const string Resizing = "Resizing";
}
