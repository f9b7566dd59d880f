using Phi.Collectives;

namespace Phi.Training.Zero;

/// <summary>
/// Who holds which shard. Shards are ordered by local rank first, then by node: the shards of the ranks with one local rank lie side by
/// side, so that a gather across nodes, then within one, and a reduction within a node, then across, need no reordering.
/// </summary>
internal sealed class ZeroTopology
{
    public ZeroTopology(ICommunicator world, ZeroConfiguration configuration)
    {
        World = world;
        RanksPerNode = configuration.RanksPerNode > 0 ? configuration.RanksPerNode : world.WorldSize;
        Nodes = world.WorldSize / RanksPerNode;
        LocalRank = world.Rank % RanksPerNode;
        IsSharded = configuration.Stage > 0;
        Node = RanksPerNode > 1 && Nodes > 1 ? world.Split(world.Rank / RanksPerNode) : RanksPerNode > 1 ? world : null;
        Across = RanksPerNode > 1 && Nodes > 1 ? world.Split(LocalRank) : Nodes > 1 ? world : null;
    }

    public ICommunicator World { get; }

    /// <summary>The ranks of this node; null if it is alone.</summary>
    public ICommunicator? Node { get; }

    /// <summary>The ranks with this local rank on all nodes; null if there is one node.</summary>
    public ICommunicator? Across { get; }

    public int RanksPerNode { get; }

    public int Nodes { get; }

    public int LocalRank { get; }

    public bool IsSharded { get; }

    /// <summary>Shards of a unit.</summary>
    public int Places => IsSharded ? World.WorldSize : 1;

    /// <summary>This rank's shard.</summary>
    public int Place => IsSharded ? LocalRank * Nodes + World.Rank / RanksPerNode : 0;
}
