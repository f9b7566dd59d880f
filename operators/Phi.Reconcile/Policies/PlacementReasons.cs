using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>Why a gang has no place, in one sentence with the numbers.</summary>
internal static class PlacementReasons
{
    private const int Named = 8;

    public static string WhyNot(JobSnapshot snapshot, int size)
    {
        var (type, each, gang) = (snapshot.Job.Spec.Accelerator!.Type!, snapshot.PerReplica, Gang.Of(snapshot, size));
        var nodes = GangRooms.OfType(snapshot).ToList();
        if (nodes.Count == 0)
        {
            var types = snapshot.AcceleratorTypes.Union(snapshot.Nodes.Select(node => node.AcceleratorType)).Where(name => name.Length > 0).Order(StringComparer.Ordinal).ToList();
            return $"no node has accelerators of type {type}; {(types.Count == 0 ? "no node of the cluster has any" : $"the cluster has {string.Join(", ", types)}")}";
        }

        var usable = GangRooms.Usable(snapshot).ToList();
        List<string> parts = [Free(usable)];
        parts.AddRange(Kept(snapshot, usable));
        parts.AddRange(usable.Where(node => node.MostPods * each < node.Free).GroupBy(node => node.Scarce).OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => $"{group.Key ?? "another resource"} is short on {Count(group.Count(), "node")}"));
        parts.AddRange(nodes.Select(node => (node.Name, Why: GangRooms.WhyNot(snapshot, node))).Where(node => node.Why is not null)
            .GroupBy(node => node.Why!, node => node.Name, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => Obstacle(snapshot, group.Key, [.. group])));
        var stay = gang.Fixed.IsEmpty ? "" : $" beside the {gang.Fixed.Length} that stay";
        return $"{Count(gang.Missing, "pod")} of {each} {type}{stay} {(gang.Missing == 1 ? "does" : "do")} not fit: {string.Join(", ", parts)}{Domains(snapshot, gang)}";
    }

    public static string Placed(JobSnapshot snapshot, IEnumerable<string> nodes)
    {
        var used = nodes.Distinct(StringComparer.Ordinal).ToList();
        var domains = Topology.Asked(snapshot) is { } level
            ? snapshot.Nodes.Where(node => used.Contains(node.Name)).Select(node => Topology.DomainOf(node, level)).OfType<string>().Distinct(StringComparer.Ordinal).Select(domain => $"{level} {domain}").ToList()
            : [];
        return $"{Names(used)}{(domains.Count == 0 ? "" : $" in {Names(domains)}")}";
    }

    public static string Count(int count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";

    private static string Names(List<string> names) => names.Count <= Named ? string.Join(", ", names) : $"{string.Join(", ", names.Take(Named))} and {names.Count - Named} more";

    private static string Free(List<NodeSnapshot> usable)
    {
        var free = usable.Where(node => node.Free > 0).ToList();
        return free.Count == 0
            ? $"none is free on {Count(usable.Count, "node")}"
            : $"{free.Sum(node => node.Free)} are free on {Count(free.Count, "node")}{(free.Count == 1 ? "" : $" (at most {free.Max(node => node.Free)} on one)")}";
    }

    private static IEnumerable<string> Kept(JobSnapshot snapshot, List<NodeSnapshot> usable)
    {
        var kept = Reservation.Before(snapshot);
        var sum = usable.Sum(node => Math.Min(Math.Max(0, node.Free), kept.GetValueOrDefault(node.Name)?.Accelerators ?? 0));
        return sum == 0 ? [] : [$"{sum} of them are kept for {snapshot.Ahead!.Job.Metadata.Namespace}/{snapshot.Ahead.Job.Metadata.Name} ({Count(snapshot.Ahead.Replicas, "pod")} of {snapshot.Ahead.PerReplica}), which is before this job in line"];
    }

    private static string Obstacle(JobSnapshot snapshot, string why, List<string> nodes)
    {
        var text = why.StartsWith("is ", StringComparison.Ordinal) && nodes.Count > 1 ? "are " + why[3..]
            : why.StartsWith("has ", StringComparison.Ordinal) && nodes.Count > 1 ? "have " + why[4..] : why;
        var detail = why == "is excluded" ? $" ({string.Join("; ", nodes.Take(Named).Select(name => $"{name}: {NodeExclusion.Find(snapshot, name)?.Reason}"))})" : "";
        return $"{Count(nodes.Count, "node")} {text}{detail}";
    }

    private static string Domains(JobSnapshot snapshot, Gang gang)
    {
        if (snapshot.Job.Spec.Topology?.Require is not { } level)
        {
            return "";
        }

        var spots = GangRooms.Of(snapshot, [], Reservation.Before(snapshot));
        var best = Packing.Domains(spots, level).OrderByDescending(domain => domain.Room).ThenBy(domain => domain.Name, StringComparer.Ordinal).FirstOrDefault();
        var unlabelled = spots.Count(spot => Topology.DomainOf(spot.Node, level) is null);
        var note = unlabelled == 0 ? "" : $"; {Count(unlabelled, "node")} {(unlabelled == 1 ? "has" : "have")} no label of a {level}";
        var stay = gang.Fixed.IsEmpty ? null : gang.Domain(snapshot, level);
        return best is null
            ? $"; no {level} has room for a pod{note}"
            : $"; all must be in one {level}{(stay is null ? "" : $", the others are in {stay}")}, the best is {best.Name} with room for {best.Room}, {gang.Missing + (stay is null || stay == best.Name ? 0 : gang.Fixed.Length) - best.Room} fewer than needed{note}";
    }
}
