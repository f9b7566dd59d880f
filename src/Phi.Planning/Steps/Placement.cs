using Phi.Planning.Shapes;

namespace Phi.Planning.Steps;

/// <summary>Which ranks share a node, and which are peers of one another. Ranks of a pod follow each other, and so do those of a group.</summary>
internal sealed class Placement(JobShape job)
{
    /// <summary>Sets of the scope, with the members among the first so many ranks; the others are taken to do as these do.</summary>
    public IReadOnlyList<int[]> Sets(HopScope scope, int ranks)
    {
        var of = Enumerable.Range(0, ranks).ToLookup(rank => Set(scope, rank));
        return [.. of.Select(members => members.ToArray())];
    }

    public int Node(int rank) => rank / job.RanksPerNode;

    /// <summary>Peers of a rank in its own node, and in others.</summary>
    public (int Same, int Other) Peers(HopScope scope, int rank)
    {
        var (first, count) = (Node(rank) * job.RanksPerNode, Math.Min(job.RanksPerNode, job.Ranks - Node(rank) * job.RanksPerNode));
        var same = 0;
        for (var peer = first; peer < first + count; peer++)
        {
            same += peer != rank && Set(scope, peer) == Set(scope, rank) ? 1 : 0;
        }

        var all = scope switch
        {
            HopScope.Group => job.GroupSize,
            HopScope.AcrossGroups => job.Groups,
            _ => job.Ranks,
        };
        return (same, all - 1 - same);
    }

    private int Set(HopScope scope, int rank) => scope switch
    {
        HopScope.Group => rank / job.GroupSize,
        HopScope.AcrossGroups => rank % job.GroupSize,
        _ => 0,
    };
}
