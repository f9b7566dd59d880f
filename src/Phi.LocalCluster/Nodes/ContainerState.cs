namespace Phi.LocalCluster.Nodes;

/// <summary>What a node says of one of its containers.</summary>
internal sealed record ContainerState(string Name, string Image, DateTimeOffset? StartedAt, int? ExitCode = null, DateTimeOffset? FinishedAt = null, string? Message = null, int Restarts = 0);
