namespace Phi.Reconcile.Queues;

/// <summary>A job that holds quota.</summary>
public sealed record AdmittedJob
{
    public required QueuedJob Job { get; init; }

    /// <summary>Pods that its quota covers.</summary>
    public required int Replicas { get; init; }

    public required DateTimeOffset AdmittedAt { get; init; }

    /// <summary>Time of its newest committed checkpoint.</summary>
    public DateTimeOffset? CheckpointAt { get; init; }

    /// <summary>It was asked to leave and still holds its quota.</summary>
    public bool IsEvicting { get; init; }

    /// <summary>Uid of the job that its eviction makes room for, as long as it is known.</summary>
    public string? EvictedFor { get; init; }

    /// <summary>Accelerators held.</summary>
    public long Units => (long)Replicas * Job.PerReplica;

    /// <summary>Accelerator-seconds that an eviction now would throw away if nothing more is saved.</summary>
    public double WorkAtRisk(DateTimeOffset now)
    {
        var saved = CheckpointAt is { } at && at > AdmittedAt ? at : AdmittedAt;
        return Math.Max(0, (now - saved).TotalSeconds) * Units;
    }
}
