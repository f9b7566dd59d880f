namespace Phi.Collectives;

/// <summary>A collective could not complete: a rank left, or did not answer within the deadline.</summary>
public sealed class CollectiveException(CollectiveOperation operation, int rank, int missingRank, string reason)
    : Exception($"{operation} on rank {rank}: rank {missingRank} {reason}")
{
    public CollectiveOperation Operation { get; } = operation;

    /// <summary>The rank that did not answer.</summary>
    public int MissingRank { get; } = missingRank;
}
