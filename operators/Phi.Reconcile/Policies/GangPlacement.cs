using System.Collections.Immutable;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>Finds a node for every gated pod of the gang, or for none.</summary>
public static class GangPlacement
{
    public static PlacementResult Find(JobSnapshot snapshot)
    {
        var gated = snapshot.Pods.Where(pod => pod is { IsGated: true, IsLive: true }).OrderBy(pod => pod.Index).ToImmutableArray();
        var usable = GangRooms.Usable(snapshot).Select(node => node.Name).ToHashSet(StringComparer.Ordinal);
        if (gated.FirstOrDefault(pod => pod.Pin is { } pin && !usable.Contains(pin)) is { Pin: var lost } pinned)
        {
            return new PlacementResult(null, true, $"pod {pinned.Name} was pinned to {lost}, which takes it no longer");
        }

        if (GangSeats.Find(snapshot, snapshot.Replicas, isHypothetical: false) is not { } seats)
        {
            return new PlacementResult(null, gated.Any(pod => pod.Pin is not null), PlacementReasons.WhyNot(snapshot, snapshot.Replicas));
        }

        if (seats.MovesAll)
        {
            var level = snapshot.Job.Spec.Topology!.Require;
            return new PlacementResult(null, true, $"{PlacementReasons.Count(Gang.Of(snapshot, snapshot.Replicas).Missing, "pod")} of {snapshot.Replicas} must move with the others: their {level} has no room, {PlacementReasons.Placed(snapshot, seats.Nodes)} has");
        }

        var free = new Queue<string>(seats.Nodes);
        // A pin cannot be changed, only made good.
        ImmutableArray<Placement> placements = [.. gated.Select(pod => new Placement(pod.Name, pod.Uid, pod.Pin ?? free.Dequeue()))];
        return new PlacementResult(placements, false, $"{PlacementReasons.Count(placements.Length, "pod")} placed on {PlacementReasons.Placed(snapshot, placements.Select(placement => placement.Node))}");
    }
}
