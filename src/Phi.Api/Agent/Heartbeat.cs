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
    /// <summary>The machine's own word that it is about to go: a spot notice, maintenance.</summary>
    public DisruptionNotice? Notice { get; init; }
    public required IReadOnlyList<RankHeartbeat> Ranks { get; init; }
}

/// <param name="Source">Who gave it, such as <c>azure</c> or <c>file</c>.</param>
/// <param name="Kind">Preempt, Terminate, Reboot, Redeploy, Freeze.</param>
/// <param name="NotBefore">Earliest time of the event. Null: at any moment.</param>
public sealed record DisruptionNotice(string Source, string Kind, DateTimeOffset? NotBefore);

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
    /// <summary>Step from which this attempt goes on; null before the rank trains.</summary>
    public long? FromStep { get; init; }
    public int? ExitCode { get; init; }
    public string? Message { get; init; }
    /// <summary>The collective that the rank is in, or was in last: operation, number, group.</summary>
    public string? LastCollective { get; init; }
    /// <summary>How long the rank has waited in that collective; null outside of one.</summary>
    public double? CollectiveSeconds { get; init; }
    /// <summary>Since the rank last said anything to its agent: a stopped process says nothing, one that waits in a collective does every second.</summary>
    public double? SilentSeconds { get; init; }
    /// <summary>Mean over its last steps, without waiting for its peers; null before the first.</summary>
    public double? BusySecondsPerStep { get; init; }
    /// <summary>Of a rank that ended with <see cref="RankExitCodes.Diverged"/>: the batch on which it did, counted from 0.</summary>
    public long? DivergedBatch { get; init; }
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
    /// <summary>Base URLs at which an operator answers, best first. Null: only the one that was asked.</summary>
    public IReadOnlyList<string>? OperatorUrls { get; init; }
}
