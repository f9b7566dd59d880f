namespace Phi.Collectives;

/// <summary>
/// Collectives of a group of ranks. Every rank calls the same collectives in the same order, from one thread at a time.
/// Buffers are raw memory; reductions are fp32 sums in rank order, so that every transport gives the same bits.
/// </summary>
public interface ICommunicator : IAsyncDisposable
{
    int Rank { get; }

    int WorldSize { get; }

    /// <summary>Bytes sent so far, by operation and by scope.</summary>
    WireStatistics Statistics { get; }

    /// <summary>Gathers <paramref name="bytes"/> of every rank: receive is [world × bytes] in rank order. Send may lie at its place in receive.</summary>
    CollectiveHandle AllGather(nint send, nint receive, long bytes);

    /// <summary>Sends block p of [world × bytes] to rank p, and receives rank p's block as block p.</summary>
    CollectiveHandle AllToAll(nint send, nint receive, long bytes);

    /// <summary>Sums [world × count] fp32 values of every rank; this rank receives block <see cref="Rank"/> of the sum, count values.</summary>
    CollectiveHandle ReduceScatter(nint send, nint receive, long count);

    /// <summary>Sums count fp32 values of every rank in place.</summary>
    CollectiveHandle AllReduce(nint buffer, long count);

    /// <summary>Copies the root's bytes to every rank.</summary>
    CollectiveHandle Broadcast(nint buffer, long bytes, int root);

    /// <summary>Returns when every rank has called it.</summary>
    CollectiveHandle Barrier();

    /// <summary>A group of the ranks that gave the same color, ordered by rank in this one. Collective.</summary>
    ICommunicator Split(int color);
}
