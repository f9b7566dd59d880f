namespace Phi.Api.Agent;

/// <summary>A committed checkpoint that an attempt could not continue from, so that it took the one before. Reported by every rank that found it so.</summary>
public sealed record SkippedCheckpoint
{
    /// <summary>A file of it is missing, cut off, or not as its digest says.</summary>
    public const string Damaged = "Damaged";

    public required long Step { get; init; }
    public required DateTimeOffset Time { get; init; }
    /// <summary>Which file, and what is wrong with it.</summary>
    public required string Message { get; init; }
}
