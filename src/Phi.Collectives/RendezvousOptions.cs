using System.Net;

namespace Phi.Collectives;

/// <summary>Who meets where. Every rank gives the same run, attempt and world size; a stale rank is refused.</summary>
public sealed record RendezvousOptions
{
    /// <summary>Rank 0 listens here; the others connect.</summary>
    public required IPAddress MasterAddress { get; init; }

    public required int MasterPort { get; init; }

    public required int Rank { get; init; }

    public required int WorldSize { get; init; }

    /// <summary>Ranks of the same node share memory; the others use TCP.</summary>
    public required int NodeRank { get; init; }

    public required string RunId { get; init; }

    /// <summary>The generation: ranks of another attempt never join.</summary>
    public required int Attempt { get; init; }

    /// <summary>Address at which peers reach this rank.</summary>
    public required IPAddress BindAddress { get; init; }

    /// <summary>Longest wait for the last rank. Default 120 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(120);

    public CollectiveOptions Collectives { get; init; } = new();
}
