using System.Collections.Immutable;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>Nodes for the pods of a gang that have none.</summary>
/// <param name="Nodes">One for each such pod, in the order of their indices.</param>
/// <param name="MovesAll">The pods that have a place cannot keep it: the nodes are for the whole gang.</param>
internal sealed record GangSeats(ImmutableArray<string> Nodes, bool MovesAll)
{
    /// <summary>Null if the gang of that size does not fit.</summary>
    /// <param name="isHypothetical">Pods beyond the size would go, and their room counts as free; false: only what is free now does.</param>
    public static GangSeats? Find(JobSnapshot snapshot, int size, bool isHypothetical)
    {
        var gang = Gang.Of(snapshot, size);
        if (gang.Missing == 0)
        {
            return new GangSeats([], false);
        }

        var kept = Reservation.Before(snapshot);
        var spots = GangRooms.Of(snapshot, isHypothetical ? [.. snapshot.Pods.Where(pod => !gang.Fixed.Contains(pod) && !pod.HasEnded)] : [], kept);
        if (snapshot.Job.Spec.Topology?.Require is not { } level)
        {
            return gang.Fixed.IsEmpty ? Seats(Anywhere(snapshot, spots, gang.Missing)) : Seats(BesideTheOthers(snapshot, spots, gang));
        }

        if (gang.Fixed.IsEmpty)
        {
            return Seats(InOneDomain(spots, gang.Missing, level));
        }

        return gang.Domain(snapshot, level) is { } domain && Packing.Pack([.. spots.Where(spot => Topology.DomainOf(spot.Node, level) == domain)], gang.Missing) is { } beside
            ? Seats(beside)
            : Seats(InOneDomain(GangRooms.Of(snapshot, [.. snapshot.Pods.Where(pod => !pod.HasEnded)], kept), size, level), movesAll: true);
    }

    private static ImmutableArray<(NodeSnapshot Node, int Pods)>? Anywhere(JobSnapshot snapshot, ImmutableArray<Spot> spots, int count) =>
        snapshot.Job.Spec.Topology?.Prefer is { } level ? Packing.PackPreferring(spots, count, level) : Packing.Pack(spots, count);

    private static ImmutableArray<(NodeSnapshot Node, int Pods)>? InOneDomain(ImmutableArray<Spot> spots, int count, string level)
    {
        var tightest = Packing.Domains(spots, level).Where(domain => domain.Room >= count).OrderBy(domain => domain.Room).ThenBy(domain => domain.Name, StringComparer.Ordinal).FirstOrDefault();
        return tightest is null ? null : Packing.Pack(tightest.Spots, count);
    }

    /// <summary>On the nodes of the pods that stay; then in their domain, the narrowest in which there is room; then anywhere.</summary>
    private static ImmutableArray<(NodeSnapshot Node, int Pods)>? BesideTheOthers(JobSnapshot snapshot, ImmutableArray<Spot> spots, Gang gang)
    {
        var names = gang.Fixed.Select(pod => pod.Place!).ToHashSet(StringComparer.Ordinal);
        var levels = Topology.Asked(snapshot) is { } asked ? Topology.Levels.Prepend(asked) : Topology.Levels;
        return levels.Select(level => gang.Domain(snapshot, level) is { } domain ? spots.Where(spot => Topology.DomainOf(spot.Node, level) == domain) : [])
            .Prepend(spots.Where(spot => names.Contains(spot.Node.Name)))
            .Select(scope => Packing.Pack([.. scope], gang.Missing)).FirstOrDefault(nodes => nodes is not null) ?? Anywhere(snapshot, spots, gang.Missing);
    }

    /// <summary>Neighbours in rank are neighbours in topology.</summary>
    private static GangSeats? Seats(ImmutableArray<(NodeSnapshot Node, int Pods)>? nodes, bool movesAll = false) => nodes is not { } used ? null : new GangSeats(
    [
        .. used.OrderBy(entry => entry.Node.Zone, StringComparer.Ordinal).ThenBy(entry => entry.Node.Rack, StringComparer.Ordinal)
            .ThenBy(entry => entry.Node.NvlinkDomain, StringComparer.Ordinal).ThenBy(entry => entry.Node.Name, StringComparer.Ordinal)
            .SelectMany(entry => Enumerable.Repeat(entry.Node.Name, entry.Pods)),
    ], movesAll);
}
