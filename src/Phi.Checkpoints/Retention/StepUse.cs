namespace Phi.Checkpoints.Retention;

/// <summary>Somebody reads a checkpoint for a long time.</summary>
/// <param name="Expires">By the storage's clock, unless it is renewed.</param>
public sealed record StepUse(string Who, string Purpose, DateTimeOffset Expires);
