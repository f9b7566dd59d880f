namespace Phi.Checkpoints.Retention;

/// <summary>Why a checkpoint stays whatever the policy says: <c>pin.json</c> in its folder.</summary>
public sealed record CheckpointPin(string Who, DateTimeOffset When, string? Why);
