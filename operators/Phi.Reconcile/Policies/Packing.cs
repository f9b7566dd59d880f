using System.Collections.Immutable;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>A node and how many more pods of one job it takes.</summary>
internal sealed record Spot(NodeSnapshot Node, int Room);

/// <summary>
/// Puts a number of equal pods on nodes with room: on the fewest nodes, then in the fewest domains, and where that leaves a choice into
/// the smallest hole that suffices, so that large holes stay for large gangs. The same input gives the same nodes.
/// </summary>
internal static class Packing
{
    /// <summary>Pods for each node used; null if the spots have not room enough.</summary>
    public static ImmutableArray<(NodeSnapshot Node, int Pods)>? Pack(IReadOnlyCollection<Spot> spots, int count)
    {
        if (OnFewestNodes(spots, count) is not { Length: > 1 } everywhere)
        {
            return OnFewestNodes(spots, count);
        }

        foreach (var level in Topology.Levels)
        {
            var best = Domains(spots, level).Where(domain => domain.Room >= count)
                .Select(domain => (domain.Name, domain.Room, Nodes: OnFewestNodes(domain.Spots, count)!.Value))
                .Where(domain => domain.Nodes.Length == everywhere.Length)
                .OrderBy(domain => domain.Room).ThenBy(domain => domain.Name, StringComparer.Ordinal).FirstOrDefault();
            if (best.Name is not null)
            {
                return best.Nodes;
            }
        }

        return everywhere;
    }

    /// <summary>In the smallest domain that has room for all; if none has, in the fewest, the roomiest first. Nodes without the label are each a domain of their own.</summary>
    public static ImmutableArray<(NodeSnapshot Node, int Pods)>? PackPreferring(IReadOnlyCollection<Spot> spots, int count, string level)
    {
        if (spots.Sum(spot => spot.Room) < count)
        {
            return null;
        }

        var unlabelled = spots.Where(spot => spot.Room > 0 && Topology.DomainOf(spot.Node, level) is null).Select(spot => new Domain($"node {spot.Node.Name}", spot.Room, [spot]));
        List<Domain> domains = [.. Domains(spots, level), .. unlabelled];
        var nodes = ImmutableArray.CreateBuilder<(NodeSnapshot, int)>();
        for (var left = count; left > 0;)
        {
            var next = domains.Where(domain => domain.Room >= left).OrderBy(domain => domain.Room).ThenBy(domain => domain.Name, StringComparer.Ordinal).FirstOrDefault()
                ?? domains.OrderByDescending(domain => domain.Room).ThenBy(domain => domain.Name, StringComparer.Ordinal).First();
            var here = Math.Min(left, next.Room);
            nodes.AddRange(Pack(next.Spots, here)!.Value);
            domains.Remove(next);
            left -= here;
        }

        return nodes.ToImmutable();
    }

    /// <summary>Domains of a level that have room, by name.</summary>
    public static IReadOnlyList<Domain> Domains(IEnumerable<Spot> spots, string level) =>
    [
        .. spots.Where(spot => spot.Room > 0 && Topology.DomainOf(spot.Node, level) is not null)
            .GroupBy(spot => Topology.DomainOf(spot.Node, level)!, StringComparer.Ordinal)
            .Select(group => new Domain(group.Key, group.Sum(spot => spot.Room), [.. group]))
            .OrderBy(domain => domain.Name, StringComparer.Ordinal),
    ];

    /// <summary>The roomiest nodes until one can take what is left; that one is the tightest of those that can.</summary>
    private static ImmutableArray<(NodeSnapshot Node, int Pods)>? OnFewestNodes(IEnumerable<Spot> spots, int count)
    {
        var tightest = spots.Where(spot => spot.Room > 0).OrderBy(spot => spot.Room).ThenBy(spot => spot.Node.Free).ThenBy(spot => spot.Node.Name, StringComparer.Ordinal).ToList();
        var nodes = ImmutableArray.CreateBuilder<(NodeSnapshot, int)>();
        for (var left = count; left > 0;)
        {
            if (tightest.Count == 0)
            {
                return null;
            }

            var suffices = tightest.FindIndex(spot => spot.Room >= left);
            // Of equally roomy nodes the first by the order above, not the last.
            var at = suffices >= 0 ? suffices : tightest.FindIndex(spot => spot.Room == tightest[^1].Room);
            var here = Math.Min(left, tightest[at].Room);
            nodes.Add((tightest[at].Node, here));
            tightest.RemoveAt(at);
            left -= here;
        }

        return nodes.ToImmutable();
    }
}

/// <summary>Nodes of one domain that have room.</summary>
internal sealed record Domain(string Name, int Room, ImmutableArray<Spot> Spots);
