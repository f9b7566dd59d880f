namespace Phi.LocalCluster.Nodes;

/// <summary>What a node says of one of its containers.</summary>
/// <param name="Waiting">Why it has not started yet.</param>
internal sealed record ContainerState(
    string Name, string Image, DateTimeOffset? StartedAt, int? ExitCode = null, DateTimeOffset? FinishedAt = null, string? Message = null, int Restarts = 0, (string? Reason, string Message)? Waiting = null);
