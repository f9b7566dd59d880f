using System.Collections.Immutable;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>What of a node is kept for another gang.</summary>
internal sealed record KeptRoom(int Accelerators, int Pods);

/// <summary>
/// Room that is kept for the first gang in line (EASY backfilling: Lifka 1995, "The ANL/IBM SP scheduling system"): gangs behind it are placed
/// only where they cannot delay it. It keeps the nodes that have the most room for it now. Nothing new comes there, so the room on them only
/// grows, until the gang fits: small gangs cannot starve a large one.
/// </summary>
public static class Reservation
{
    private static readonly ImmutableDictionary<string, KeptRoom> Nothing = ImmutableDictionary<string, KeptRoom>.Empty;

    /// <summary>The first of the waiting gangs that would fit if every other gang left; room is kept for that one. Others wait for nodes, not for jobs, and those that back off for their time.</summary>
    public static JobSnapshot? Head(IEnumerable<JobSnapshot> inOrder) => inOrder.FirstOrDefault(waiting => RequeuePolicy.Remaining(waiting) is null && Keep(waiting) is not null);

    /// <summary>By node: what this job leaves to the gang before it.</summary>
    internal static IReadOnlyDictionary<string, KeptRoom> Before(JobSnapshot snapshot) => (snapshot.Ahead is { } ahead ? Keep(ahead) : null) ?? Nothing;

    private static ImmutableDictionary<string, KeptRoom>? Keep(JobSnapshot waiting)
    {
        var gang = Gang.Of(waiting, waiting.Replicas);
        if (gang.Missing == 0)
        {
            return null;
        }

        if (GangSeats.Find(waiting, waiting.Replicas, isHypothetical: false) is { } fits)
        {
            return Kept(waiting.PerReplica, fits.Nodes.CountBy(name => name));
        }

        var possible = Scopes(waiting, gang).Select(spots => Choose(spots, gang.Missing)).Where(chosen => chosen is not null);
        return possible.OrderByDescending(chosen => chosen!.Value.Now).FirstOrDefault() is { } best ? Kept(waiting.PerReplica, best.Pods) : null;
    }

    /// <summary>Sets of nodes within which the gang must be; rooms are those of now, capacities those without any other gang.</summary>
    private static IEnumerable<ImmutableArray<(NodeSnapshot Node, int Now, int Most)>> Scopes(JobSnapshot waiting, Gang gang)
    {
        var fixedOn = gang.Fixed.CountBy(pod => pod.Place!).ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
        var spots = GangRooms.Of(waiting, [], Nothing)
            .Select(spot => (spot.Node, Now: spot.Room, Most: Math.Max(spot.Room, (spot.Node.Capacity ?? spot.Room) - fixedOn.GetValueOrDefault(spot.Node.Name)))).ToImmutableArray();
        if (waiting.Job.Spec.Topology?.Require is not { } level)
        {
            return [spots];
        }

        var stays = gang.Domain(waiting, level);
        return spots.Where(spot => Topology.DomainOf(spot.Node, level) is { } domain && (stays is null || domain == stays))
            .GroupBy(spot => Topology.DomainOf(spot.Node, level), StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => group.ToImmutableArray());
    }

    /// <summary>The roomiest nodes, as many as it takes; null if all of them, empty, would not do.</summary>
    private static (int Now, ImmutableArray<KeyValuePair<string, int>> Pods)? Choose(ImmutableArray<(NodeSnapshot Node, int Now, int Most)> spots, int count)
    {
        var (left, now) = (count, 0);
        var pods = ImmutableArray.CreateBuilder<KeyValuePair<string, int>>();
        foreach (var spot in spots.Where(spot => spot.Most > 0).OrderByDescending(spot => spot.Now).ThenByDescending(spot => spot.Most).ThenBy(spot => spot.Node.Name, StringComparer.Ordinal))
        {
            if (left == 0)
            {
                break;
            }

            var here = Math.Min(left, spot.Most);
            pods.Add(KeyValuePair.Create(spot.Node.Name, here));
            now += spot.Now;
            left -= here;
        }

        return left == 0 ? (now, pods.ToImmutable()) : null;
    }

    private static ImmutableDictionary<string, KeptRoom> Kept(int each, IEnumerable<KeyValuePair<string, int>> pods) =>
        pods.ToImmutableDictionary(pair => pair.Key, pair => new KeptRoom(pair.Value * each, pair.Value), StringComparer.Ordinal);
}
