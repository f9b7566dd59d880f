namespace Phi.Api.TrainingJobs;

public sealed class RecoverySpec
{
    /// <summary>Charged restarts allowed within the window, at least 0. Default 3.</summary>
    public int? MaxRestarts { get; set; }
    /// <summary>Duration such as 24h. Null: the job's whole life.</summary>
    public string? RestartWindow { get; set; }
    /// <summary>First delay before a charged restart, doubled each time up to 5m. Default 1s.</summary>
    public string? Backoff { get; set; }
    /// <summary>No step for this long is a hang. Default 10m.</summary>
    public string? HangTimeout { get; set; }
    /// <summary>An agent that is not heard of for this long is lost, and its pod with it. Default 10s.</summary>
    public string? HeartbeatTimeout { get; set; }
    /// <summary>Pods of a placed gang that are not bound to their nodes after this long: the whole gang is withdrawn and placed anew. Default 60s.</summary>
    public string? BindTimeout { get; set; }
    /// <summary>A pod that is bound to its node and whose program has not begun to run after this long, as when its image cannot be pulled: the attempt ends, and the restart is charged. Default 10m.</summary>
    public string? StartTimeout { get; set; }
    public RequeuingStrategySpec? RequeuingStrategy { get; set; }
    public DivergenceSpec? Divergence { get; set; }
    public StragglerSpec? Stragglers { get; set; }
    /// <summary>First match wins.</summary>
    public List<RecoveryRuleSpec>? Rules { get; set; }
}

/// <summary>How long a job waits, without quota, after its gang was withdrawn because a pod was not bound in time.</summary>
public sealed class RequeuingStrategySpec
{
    /// <summary>The wait after the first time, doubled each time until the job trains. Default 10s.</summary>
    public string? BackoffBase { get; set; }
    /// <summary>The longest wait. Default 1h.</summary>
    public string? BackoffMax { get; set; }
}

/// <summary>What happens when the loss is not finite, or jumps.</summary>
public sealed class DivergenceSpec
{
    /// <summary>Stop fails the job; Rollback continues from the newest checkpoint before and leaves out the batch; Ignore trains on. Default Stop.</summary>
    public string? Action { get; set; }
    /// <summary>A loss above this many times the median of the window is a spike; above 1. Null: only a loss that is not finite diverges.</summary>
    public double? SpikeFactor { get; set; }
    /// <summary>Steps whose median loss a spike is measured against, 5 to 10000. Default 50.</summary>
    public int? Window { get; set; }
    /// <summary>Rollbacks in the job's life before it fails, at least 0. Default 3.</summary>
    public int? MaxRollbacks { get; set; }
}

/// <summary>A rank whose own time per step, without waiting for its peers, is above the gang's median by a factor.</summary>
public sealed class StragglerSpec
{
    /// <summary>Above 1. Default 2.</summary>
    public double? Factor { get; set; }
    /// <summary>Steps in a row, at least 1. Default 20.</summary>
    public int? Steps { get; set; }
    /// <summary>Report, or ExcludeNode: the gang is restarted, free of charge, without that node. Default Report.</summary>
    public string? Action { get; set; }
}

/// <summary>At least one matcher; action is Restart, RestartFree, Fail or ExcludeNode.</summary>
public sealed class RecoveryRuleSpec
{
    public List<int>? ExitCodes { get; set; }
    public List<string>? Reasons { get; set; }
    public string? MessageRegex { get; set; }
    public string? Action { get; set; }
}
