using Phi.Planning.Steps;

namespace Phi.Planning.Simulation;

/// <summary>Ranks of one collective.</summary>
/// <param name="Ranks">Those that are played.</param>
/// <param name="Nodes">Where they are.</param>
/// <param name="SameNode">Peers of a rank in its own node, and <paramref name="OtherNodes"/> in others, of those that are played or not.</param>
/// <param name="RanksOfNode">Members that share a node's adapter.</param>
internal sealed record PeerSet(int[] Ranks, int[] Nodes, int SameNode, int OtherNodes, int RanksOfNode)
{
    public static IReadOnlyList<PeerSet> Of(Placement placement, HopScope scope, int ranks) =>
        [.. placement.Sets(scope, ranks).Select(members =>
        {
            var (same, other) = placement.Peers(scope, members[0]);
            return new PeerSet(members, [.. members.Select(placement.Node).Distinct()], same, other, members.CountBy(placement.Node).Max(node => node.Value));
        })];

    /// <summary>When the last of them is there.</summary>
    public double Last(double[] at)
    {
        var last = 0.0;
        foreach (var rank in Ranks)
        {
            last = Math.Max(last, at[rank]);
        }

        return last;
    }
}
