namespace Phi.Operator.Leader;

/// <summary>Who leads, and for how long a word counts. The times are those of Kubernetes' own controllers.</summary>
internal sealed record LeaseOptions
{
    /// <summary>Namespace of the lease.</summary>
    public required string Namespace { get; init; }

    /// <summary>Name of the lease that the leader holds. Default: phi-operator.</summary>
    public string Name { get; init; } = "phi-operator";

    /// <summary>This replica's name; no other process may have it while this one runs.</summary>
    public required string Identity { get; init; }

    /// <summary>A lease that nobody was seen to renew for so long is free. Default: 15 s.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A leader that could not renew for so long stops. Shorter than <see cref="Duration"/> by what stopping may take. Default: 10 s.</summary>
    public TimeSpan RenewDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Between two tries to take or renew. Default: 2 s.</summary>
    public TimeSpan RetryPeriod { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A clean stop frees the lease, so that the next leader need not wait. Default: true.</summary>
    public bool ReleasesOnStop { get; init; } = true;
}
