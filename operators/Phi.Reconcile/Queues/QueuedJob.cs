namespace Phi.Reconcile.Queues;

/// <summary>What a queue must know of a job.</summary>
public sealed record QueuedJob
{
    /// <summary>NAMESPACE/NAME.</summary>
    public required string Key { get; init; }

    public required string Uid { get; init; }
    public required string Queue { get; init; }
    public required string AcceleratorType { get; init; }

    /// <summary>Accelerators of each pod.</summary>
    public required int PerReplica { get; init; }

    /// <summary>Pods wanted.</summary>
    public required int Replicas { get; init; }

    /// <summary>Pods that suffice.</summary>
    public required int MinReplicas { get; init; }

    public int Priority { get; init; }
    public required DateTimeOffset QueuedSince { get; init; }

    /// <summary>Not considered before; null: at once.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>The job's priority class, if there is none of that name: the job waits until there is.</summary>
    public string? MissingPriorityClass { get; init; }

    /// <summary>Accelerators without which the job does not start.</summary>
    public long LeastUnits => (long)MinReplicas * PerReplica;
}
