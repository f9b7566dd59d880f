using Phi.Api.TrainingJobs;

namespace Phi.Api.Agent;

/// <summary>An agent asks what to run.</summary>
public sealed record AssignmentRequest
{
    public required string Namespace { get; init; }
    public required string Job { get; init; }
    public required string JobUid { get; init; }
    public required string Pod { get; init; }
    public required string PodUid { get; init; }
    public required string PodIp { get; init; }
    public required int ReplicaIndex { get; init; }
}

/// <summary>The assignment, or why there is none yet.</summary>
public sealed record AssignmentResponse
{
    /// <summary>Null while the agent must wait and ask again.</summary>
    public Assignment? Assignment { get; init; }
    public string? WaitReason { get; init; }
    public double RetryAfterSeconds { get; init; } = 0.5;
    /// <summary>Base URLs at which an operator answers, best first. Null: only the one that was asked.</summary>
    public IReadOnlyList<string>? OperatorUrls { get; init; }
}

/// <param name="Location">Folder or address of the checkpoints, a relative folder below the node's checkpoint root.</param>
/// <param name="Step">Null: the newest good one.</param>
/// <param name="What">As in spec.phi.initialize.what.</param>
public sealed record InitializeAssignment(string Location, long? Step, string What);

/// <summary>One attempt's part for one pod.</summary>
public sealed record Assignment
{
    public required int Attempt { get; init; }
    public required int WorldSize { get; init; }
    public required int Replicas { get; init; }
    public required int LocalWorldSize { get; init; }
    /// <summary>Global rank of the pod's local rank 0.</summary>
    public required int FirstRank { get; init; }
    /// <summary>Address at which rank 0 listens for the rendezvous.</summary>
    public required string MasterAddress { get; init; }
    public required int MasterPort { get; init; }
    /// <summary>
    /// Secret that the pods of this attempt share, and no other: bearer of the agents' requests to each other. Null: the operator is of a release
    /// that gives none; the gang then keeps no copies in memory.
    /// </summary>
    public string? PeerKey { get; init; }
    /// <summary>Newest step whose checkpoint the operator knows committed; a hint: the ranks read the store. Null: none known.</summary>
    public long? ResumeStep { get; init; }
    /// <summary>Step of the newest checkpoint of which the operator knows what its evaluation came to. Null: none known.</summary>
    public long? EvaluatedStep { get; init; }
    /// <summary>What the ranks load if the job has no checkpoint of its own. Null: nothing.</summary>
    public InitializeAssignment? Initialize { get; init; }
    /// <summary>Batches to be left out, counted from 0 in the order of the data, ascending.</summary>
    public IReadOnlyList<long> SkippedBatches { get; init; } = [];
    /// <summary>The job's spec with every default filled in.</summary>
    public required TrainingJobSpec Spec { get; init; }
}
