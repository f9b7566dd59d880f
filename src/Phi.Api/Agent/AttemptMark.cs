namespace Phi.Api.Agent;

/// <summary>How far an attempt has come on its way to its first step; told by rank 0.</summary>
/// <param name="Name"><see cref="Launched"/>, <see cref="Joined"/> or <see cref="Restored"/>.</param>
/// <param name="Time">When it was reached, by the rank's clock.</param>
public sealed record AttemptMark(string Name, DateTimeOffset Time)
{
    /// <summary>The rank's process runs.</summary>
    public const string Launched = "Launched";

    /// <summary>All ranks have met.</summary>
    public const string Joined = "Joined";

    /// <summary>Weights and optimizer are as the checkpoint has them, or as new.</summary>
    public const string Restored = "Restored";
}
