using Phi.Api.Metadata;

namespace Phi.Api.TrainingJobs;

/// <summary>What is. Written by the operator alone: progress by the field manager phi-progress, the rest by phi-operator.</summary>
public sealed class TrainingJobStatus
{
    public long? ObservedGeneration { get; set; }
    /// <summary>Pending, Starting, Running, Restarting, Suspended, Succeeded or Failed.</summary>
    public string? Phase { get; set; }
    public List<Condition>? Conditions { get; set; }
    /// <summary>Current attempt, from 1; 0 before the first.</summary>
    public int? Attempt { get; set; }
    public int? Restarts { get; set; }
    public int? FreeRestarts { get; set; }
    public int? ReadyReplicas { get; set; }
    /// <summary>Ready and wanted pods, n/N, for the Ready column.</summary>
    public string? Ready { get; set; }
    public DateTimeOffset? StartTime { get; set; }
    public DateTimeOffset? CompletionTime { get; set; }
    public DateTimeOffset? LastRestartTime { get; set; }
    /// <summary>Times of the charged restarts, newest last; the restart window is counted over them.</summary>
    public List<DateTimeOffset>? ChargedRestartTimes { get; set; }
    /// <summary>Pods of the current attempt's gang: replicas, or fewer for an elastic job.</summary>
    public int? Replicas { get; set; }
    /// <summary>Since its gang was withdrawn because a pod was not bound in time, until it trains.</summary>
    public RequeueStateStatus? RequeueState { get; set; }
    /// <summary>Nodes that this job keeps away from.</summary>
    public List<ExcludedNodeStatus>? ExcludedNodes { get; set; }
    /// <summary>How the last attempts ended, newest last, at most 20.</summary>
    public List<InterruptionStatus>? Interruptions { get; set; }
    /// <summary>Batches left out after the loss diverged on them, counted from 0 in the order of the data.</summary>
    public List<long>? SkippedBatches { get; set; }
    public int? Rollbacks { get; set; }
    /// <summary>Where the checkpoints are that spec.phi.initialize.from.job stands for.</summary>
    public InitializedFromStatus? InitializedFrom { get; set; }
    public ProgressStatus? Progress { get; set; }
    public CheckpointStatus? Checkpoint { get; set; }
    /// <summary>What came of the newest checkpoint that was evaluated, or could not be.</summary>
    public EvaluationStatus? Evaluation { get; set; }
    public GoodputStatus? Goodput { get; set; }
    public List<PlacementStatus>? Placement { get; set; }
    /// <summary>Nodes of the placement, comma-separated, for the Nodes column.</summary>
    public string? Nodes { get; set; }
}

public sealed class ProgressStatus
{
    /// <summary>Steps completed.</summary>
    public long? Step { get; set; }
    public long? TotalSteps { get; set; }
    public long? Tokens { get; set; }
    /// <summary>Mean loss of the newest step, nats per token.</summary>
    public double? Loss { get; set; }
    public double? FirstLoss { get; set; }
    public double? TokensPerSecond { get; set; }
    /// <summary>Model FLOPs utilisation, from 0 to 1: of the accelerators' peak, what the model's operations are, causal attention counted as it is computed. Null for CPUs and accelerators of which no figures are known.</summary>
    public double? Mfu { get; set; }
    public DateTimeOffset? EstimatedCompletion { get; set; }
}

public sealed class InitializedFromStatus
{
    public string? Job { get; set; }
    /// <summary>Newest committed step of that job when it was looked at, or the one that was asked for.</summary>
    public long? Step { get; set; }
    /// <summary>Root of the checkpoints.</summary>
    public string? Uri { get; set; }
    /// <summary>Secret of the same namespace by which that job's blobs are read; null: it has none.</summary>
    public string? SecretName { get; set; }
}

public sealed class CheckpointStatus
{
    public long? Step { get; set; }
    public DateTimeOffset? Time { get; set; }
    public string? Uri { get; set; }
    /// <summary>Committed in the job's life.</summary>
    public int? Count { get; set; }
    /// <summary>The last step that should have been saved and was not; training went on.</summary>
    public CheckpointProblemStatus? Missed { get; set; }
    /// <summary>The last committed checkpoint that an attempt could not continue from.</summary>
    public CheckpointProblemStatus? Skipped { get; set; }
}

/// <summary>What went wrong with one step's checkpoint.</summary>
public sealed class CheckpointProblemStatus
{
    public long? Step { get; set; }
    public DateTimeOffset? Time { get; set; }
    /// <summary>StorageFailed or NoTime of a missed one, Damaged of a skipped one.</summary>
    public string? Reason { get; set; }
    public string? Message { get; set; }
}

/// <summary>By the field manager phi-progress, from what the first pod's agent reports.</summary>
public sealed class EvaluationStatus
{
    /// <summary>Of the checkpoint.</summary>
    public long? Step { get; set; }
    public DateTimeOffset? Time { get; set; }
    /// <summary>Share of the first scored suite's problems that one completion solves, 0 to 1, for the Pass@1 column.</summary>
    public double? PassAt1 { get; set; }
    /// <summary>By suite.</summary>
    public List<SuiteScoreStatus>? Scores { get; set; }
    /// <summary>Why a suite has no score at this step. Training went on.</summary>
    public string? NotEvaluated { get; set; }
}

public sealed class SuiteScoreStatus
{
    public string? Suite { get; set; }
    public int? Problems { get; set; }
    /// <summary>Of each problem.</summary>
    public int? Samples { get; set; }
    public double? PassAt1 { get; set; }
}

/// <summary>Every second of the job belongs to one cause.</summary>
public sealed class GoodputStatus
{
    /// <summary>Productive seconds over wall seconds, 0 to 1.</summary>
    public double? Ratio { get; set; }
    public double? ProductiveSeconds { get; set; }
    public Dictionary<string, double>? LostSeconds { get; set; }
}

public sealed class PlacementStatus
{
    public string? Pod { get; set; }
    public string? Node { get; set; }
    /// <summary>The node's nvlink-domain, rack or zone, whichever spec.topology names.</summary>
    public string? Domain { get; set; }
}

public sealed class RequeueStateStatus
{
    /// <summary>Withdrawals in a row.</summary>
    public int? Count { get; set; }
    /// <summary>The job is neither admitted nor placed before.</summary>
    public DateTimeOffset? RequeueAt { get; set; }
}

public sealed class ExcludedNodeStatus
{
    public string? Node { get; set; }
    public string? Reason { get; set; }
    public DateTimeOffset? Since { get; set; }
    /// <summary>Null: for the job's life.</summary>
    public DateTimeOffset? Until { get; set; }
}

/// <summary>The end of one attempt: why, whose fault, and what it cost.</summary>
public sealed class InterruptionStatus
{
    public int? Attempt { get; set; }
    public DateTimeOffset? Time { get; set; }
    public string? Reason { get; set; }
    public string? Message { get; set; }
    /// <summary>Counts against maxRestarts.</summary>
    public bool? Charged { get; set; }
    /// <summary>Newest step that the attempt completed.</summary>
    public long? Step { get; set; }
    /// <summary>From where the next attempt goes on: the newest committed checkpoint; once it trains, what it really loaded.</summary>
    public long? ResumeStep { get; set; }
    /// <summary>Steps to be done again.</summary>
    public long? LostSteps { get; set; }
    /// <summary>After a hang or a lost peer: where each rank was.</summary>
    public List<RankReportStatus>? Ranks { get; set; }
}

public sealed class RankReportStatus
{
    public int? Rank { get; set; }
    public string? Node { get; set; }
    public string? State { get; set; }
    public long? Step { get; set; }
    public int? ExitCode { get; set; }
    /// <summary>Operation, its number, and how long it has waited.</summary>
    public string? LastCollective { get; set; }
}
