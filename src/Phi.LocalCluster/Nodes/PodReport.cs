namespace Phi.LocalCluster.Nodes;

/// <summary>What a node says of a pod.</summary>
internal sealed record PodReport
{
    /// <summary>Pending, Running, Succeeded or Failed.</summary>
    public required string Phase { get; init; }

    public required string? PodIp { get; init; }

    /// <summary>When the node took the pod.</summary>
    public required DateTimeOffset? StartedAt { get; init; }

    public required IReadOnlyList<ContainerState> Containers { get; init; }

    public IReadOnlyList<ContainerState> InitContainers { get; init; } = [];

    /// <summary>Every init container has done its part.</summary>
    public bool IsInitialized { get; init; } = true;

    public string? Reason { get; init; }

    public string? Message { get; init; }

    /// <summary>Reason of the condition DisruptionTarget; null leaves the condition to others, such as an eviction's.</summary>
    public string? Disruption { get; init; }
}
