namespace Phi.Api.Agent;

/// <summary>A step that should have been saved and was not; training went on, or the ranks left. Reported by one rank.</summary>
public sealed record MissedCheckpoint
{
    /// <summary>The storage failed; the next save is tried when it is due.</summary>
    public const string StorageFailed = "StorageFailed";

    /// <summary>The ranks had to leave before a save would have been done.</summary>
    public const string NoTime = "NoTime";

    public required long Step { get; init; }
    public required DateTimeOffset Time { get; init; }
    /// <summary><see cref="StorageFailed"/> or <see cref="NoTime"/>.</summary>
    public required string Reason { get; init; }
    public required string Message { get; init; }
    /// <summary>What training stood still for it.</summary>
    public double StallSeconds { get; init; }
}
