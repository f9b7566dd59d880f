namespace Phi.Collectives.Rendezvous;

/// <summary>What a rank says of itself.</summary>
internal sealed record Hello(string RunId, int Attempt, int Rank, int WorldSize, int NodeRank, string Address, int Port);

/// <summary>Rank 0's answer: everyone, or why this rank is refused.</summary>
internal sealed record Roster(IReadOnlyList<Hello>? Ranks, string? Refusal);

/// <summary>Path of the shared memory of a pair, or null across nodes.</summary>
internal sealed record PairOffer(string? SharedMemory);

internal sealed record PairReady(bool Ready);
