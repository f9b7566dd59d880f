namespace Phi.Api.Agent;

/// <summary>Sent by the agent every second and at once when a rank's state changes.</summary>
public sealed record Heartbeat
{
    public required string Namespace { get; init; }
    public required string Job { get; init; }
    public required string JobUid { get; init; }
    public required string Pod { get; init; }
    public required string PodUid { get; init; }
    public required int ReplicaIndex { get; init; }
    public required int Attempt { get; init; }
    /// <summary>True once the pod was asked to leave (SIGTERM).</summary>
    public bool Leaving { get; init; }
    public required IReadOnlyList<RankHeartbeat> Ranks { get; init; }
}

public enum RankState
{
    Starting,
    Training,
    Completed,
    SavedAndLeft,
    Failed,
}

public sealed record RankHeartbeat
{
    public required int Rank { get; init; }
    public required RankState State { get; init; }
    /// <summary>Steps completed in this attempt's view of the run.</summary>
    public long Step { get; init; }
    public int? ExitCode { get; init; }
    public string? Message { get; init; }
}

/// <summary>What the agent must do now.</summary>
public enum AgentCommand
{
    /// <summary>Go on.</summary>
    Continue,
    /// <summary>Stop the ranks, ask for a new assignment (a newer attempt), start again.</summary>
    Restart,
    /// <summary>Save at the next step boundary, stop, exit 0 for a finished job or when told to leave.</summary>
    Stop,
}

public sealed record HeartbeatResponse
{
    public required AgentCommand Command { get; init; }
    /// <summary>The attempt the operator wants.</summary>
    public required int Attempt { get; init; }
}
