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

    /// <summary>Nodes of the job's accelerator type while it needs a place; otherwise those that its pods are on.</summary>
    public required ImmutableArray<NodeSnapshot> Nodes { get; init; }

    /// <summary>Every accelerator type that nodes of the cluster have.</summary>
    public ImmutableArray<string> AcceleratorTypes { get; init; } = [];

    /// <summary>The first gang in line before this job that waits for the same kind of accelerators. Null: none is.</summary>
    public JobSnapshot? Ahead { get; init; }

    /// <summary>What the API server said no to when it was last asked to place the gang.</summary>
    public PlacementRefusal? Refusal { get; init; }

    /// <summary>Why the API server did not take the gang's last missing pod, or what it needs: a quota, a policy, a webhook. Null: it was not asked, or took it.</summary>
    public string? CreationRefusal { get; init; }

    /// <summary>Newest word of each pod's agent.</summary>
    public required ImmutableArray<AgentSnapshot> Agents { get; init; }

    /// <summary>What the job's queue says. Null: the job has none, and is admitted as soon as its gang fits; or the queue has not considered it yet.</summary>
    public QueueAdmission? Admission { get; init; }

    /// <summary>The job that spec.phi.initialize names, while this one waits for it. Null: there is none of that name, or nothing to wait for.</summary>
    public SourceSnapshot? Source { get; init; }

    /// <summary>Since when agents could be heard: silence before does not count.</summary>
    public required DateTimeOffset ListeningSince { get; init; }

    public required DateTimeOffset Now { get; init; }

    /// <summary>When the program of a container job last reported its progress in this attempt. Null: not since the operator listens.</summary>
    public DateTimeOffset? ProgressedAt { get; init; }

    /// <summary>False for a container job: its pods have no agent that says how they are or restarts ranks, so an attempt lives and ends with its pods.</summary>
    public bool HasAgents => Job.Spec.Container is null;

    /// <summary>A pod of an earlier attempt that no agent takes over into this one.</summary>
    public bool IsSuperseded(PodSnapshot pod) => !HasAgents && pod.Attempt < Attempt;

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
    /// <summary>The node that its affinity names: its place, bound there or not yet.</summary>
    public string? Pin { get; init; }
    /// <summary>Attempt at which it was created. Null: not known.</summary>
    public int? Attempt { get; init; }
    /// <summary>Pods of the gang that it was created for. Null: not known.</summary>
    public int? GangSize { get; init; }
    /// <summary>Why the scheduler has not bound it, in the scheduler's words.</summary>
    public string? NotScheduled { get; init; }
    public bool IsDeleting { get; init; }
    /// <summary>DisruptionTarget is true: the pod was, or will be, ended through no fault of its own.</summary>
    public bool IsDisrupted { get; init; }
    /// <summary>Reason of DisruptionTarget, such as EvictionByEvictionAPI.</summary>
    public string? DisruptionReason { get; init; }
    /// <summary>Message of DisruptionTarget.</summary>
    public string? DisruptionMessage { get; init; }
    /// <summary>End of the grace period of a pod that is being deleted: its deletionTimestamp.</summary>
    public DateTimeOffset? DeleteBy { get; init; }
    /// <summary>Since when it is bound to its node; null before, or if the API server does not say.</summary>
    public DateTimeOffset? BoundSince { get; init; }
    /// <summary>Why its node has not started one of its containers yet, in the node's words, such as ImagePullBackOff. Null: it says nothing, or all run.</summary>
    public string? WaitingReason { get; init; }
    /// <summary>The node's message with that reason.</summary>
    public string? WaitingMessage { get; init; }
    /// <summary>Since when its trainer container runs; null before.</summary>
    public DateTimeOffset? RunningSince { get; init; }
    public string? Node { get; init; }
    public string? Ip { get; init; }
    /// <summary>Of the trainer container, once it has ended.</summary>
    public int? ExitCode { get; init; }
    public string? Reason { get; init; }
    public string? Message { get; init; }

    public bool HasEnded => Phase is "Succeeded" or "Failed";

    /// <summary>Can still take part in an attempt.</summary>
    public bool IsLive => !HasEnded && !IsDeleting;

    /// <summary>Where it is, or is on its way to.</summary>
    public string? Place => IsGated ? Pin : Node ?? Pin;
}

/// <summary>A node and what is free on it for this job: its allocatable accelerators less those of all pods that have not ended.</summary>
/// <param name="IsReady">New pods may go there.</param>
public sealed record NodeSnapshot(string Name, bool IsReady, string AcceleratorType, int Free)
{
    /// <summary>Why no pod of this job may go there, with its verb: "has the taint x". Null: they may.</summary>
    public string? Obstacle { get; init; }

    /// <summary>Pods of this job for which the free resources beside accelerators suffice. Null: any number.</summary>
    public int? MostPods { get; init; }

    /// <summary>The resource that sets <see cref="MostPods"/>.</summary>
    public string? Scarce { get; init; }

    /// <summary>Pods of this job that the node would take if no other gang's pods were there. Null: those that it takes now.</summary>
    public int? Capacity { get; init; }

    /// <summary>Its conditions and taints, for the pods that are there already.</summary>
    public NodeHealth Health { get; init; } = NodeHealth.Good;

    public string? NvlinkDomain { get; init; }
    public string? Rack { get; init; }
    public string? Zone { get; init; }
}

/// <summary>A pin or a gate that the API server refused to change.</summary>
public sealed record PlacementRefusal(string Pod, string Node, string Message);

/// <summary>An agent's newest heartbeat.</summary>
/// <param name="Attempt">0: it has asked for an assignment, and has run none since the operator listens.</param>
/// <param name="EndedSince">When the first of its ranks was seen ended; null while all run.</param>
/// <param name="LastSeen">When it arrived.</param>
/// <param name="ProgressAt">When a rank of this attempt last got a step further, or its state changed.</param>
public sealed record AgentSnapshot(
    string PodUid, int Attempt, bool IsLeaving, ImmutableArray<RankHeartbeat> Ranks, DateTimeOffset? EndedSince, DateTimeOffset LastSeen, DateTimeOffset ProgressAt, DisruptionNotice? Notice = null)
{
    /// <summary>By rank: steps in a row that took the rank longer than recovery.stragglers.factor times the gang's median.</summary>
    public ImmutableDictionary<int, long> SlowSteps { get; init; } = ImmutableDictionary<int, long>.Empty;
}

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
