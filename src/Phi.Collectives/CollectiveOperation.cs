namespace Phi.Collectives;

/// <summary>The collectives, in the words of MPI and NCCL.</summary>
public enum CollectiveOperation
{
    AllGather,
    ReduceScatter,
    AllToAll,
    AllReduce,
    Broadcast,
    Barrier,
}
