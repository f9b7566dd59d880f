using System.Collections.Immutable;
using Phi.Api.Agent;
using Phi.Api.TrainingJobs;

namespace Phi.Reconcile.Snapshots;

/// <summary>Everything that a decision may depend on, the time included.</summary>
public sealed record JobSnapshot
{
    /// <summary>The job with every default filled in.</summary>
    public required TrainingJob Job { get; init; }

    /// <summary>What is wrong with the job's spec; empty if it is good.</summary>
    public required ImmutableArray<ValidationError> Errors { get; init; }

    /// <summary>Pods of the job, in any state.</summary>
    public required ImmutableArray<PodSnapshot> Pods { get; init; }

    public required ImmutableArray<NodeSnapshot> Nodes { get; init; }

    /// <summary>Newest word of each pod's agent.</summary>
    public required ImmutableArray<AgentSnapshot> Agents { get; init; }

    /// <summary>What the job's queue says. Null: the job has none, and is admitted as soon as its gang fits; or the queue has not considered it yet.</summary>
    public QueueAdmission? Admission { get; init; }

    /// <summary>Since when agents could be heard: silence before does not count.</summary>
    public required DateTimeOffset ListeningSince { get; init; }

    public required DateTimeOffset Now { get; init; }

    public TrainingJobStatus Status => Job.Status ?? new TrainingJobStatus();

    public int Attempt => Status.Attempt ?? 0;

    /// <summary>Pods of the current attempt's gang.</summary>
    public int Replicas => Status.Replicas ?? Job.Spec.Replicas!.Value;

    public int PerReplica => Job.Spec.Accelerator!.PerReplica!.Value;
}

/// <summary>A pod as the API server has it.</summary>
public sealed record PodSnapshot
{
    public required string Name { get; init; }
    public required string Uid { get; init; }
    public required int Index { get; init; }
    /// <summary>Pending, Running, Succeeded or Failed.</summary>
    public required string Phase { get; init; }
    public bool IsGated { get; init; }
    public bool IsDeleting { get; init; }
    /// <summary>DisruptionTarget is true: the pod was, or will be, ended through no fault of its own.</summary>
    public bool IsDisrupted { get; init; }
    public string? Node { get; init; }
    public string? Ip { get; init; }
    /// <summary>Of the trainer container, once it has ended.</summary>
    public int? ExitCode { get; init; }
    public string? Reason { get; init; }
    public string? Message { get; init; }

    public bool HasEnded => Phase is "Succeeded" or "Failed";

    /// <summary>Can still take part in an attempt.</summary>
    public bool IsLive => !HasEnded && !IsDeleting;
}

/// <summary>A node and what is free on it for this job: its allocatable accelerators less those of all pods that have not ended.</summary>
public sealed record NodeSnapshot(string Name, bool IsReady, string AcceleratorType, int Free);

/// <summary>An agent's newest heartbeat.</summary>
/// <param name="EndedSince">When the first of its ranks was seen ended; null while all run.</param>
/// <param name="LastSeen">When it arrived.</param>
/// <param name="ProgressAt">When a rank of this attempt last got a step further, or its state changed.</param>
public sealed record AgentSnapshot(
    string PodUid, int Attempt, bool IsLeaving, ImmutableArray<RankHeartbeat> Ranks, DateTimeOffset? EndedSince, DateTimeOffset LastSeen, DateTimeOffset ProgressAt, DisruptionNotice? Notice = null);

public enum AdmissionState
{
    Waiting,

    /// <summary>The quota is the job's.</summary>
    Granted,

    /// <summary>The quota is wanted back: the job saves and ends its attempt by the deadline.</summary>
    Evicting,
}

/// <summary>A queue's word on one job.</summary>
/// <param name="Replicas">Pods that the quota covers; fewer than asked for an elastic job.</param>
/// <param name="Reason">CamelCase word; for an eviction that of the Evicted condition, such as Preempted.</param>
/// <param name="Deadline">Of an eviction.</param>
/// <param name="Cause">Of an eviction: the reason of the Preempted condition, such as InCohortReclamation.</param>
public sealed record QueueAdmission(AdmissionState State, int Replicas, string Reason, string Message, DateTimeOffset? Deadline = null, string? Cause = null);
