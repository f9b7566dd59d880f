using System.Collections.Immutable;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>A gang of a given size: the pods that have a place and keep it, and how many have none.</summary>
internal sealed record Gang(ImmutableArray<PodSnapshot> Fixed, int Missing)
{
    public static Gang Of(JobSnapshot snapshot, int size)
    {
        var placed = snapshot.Pods.Where(pod => pod is { IsLive: true, Place: not null } && pod.Index >= 0 && pod.Index < size).DistinctBy(pod => pod.Index).ToImmutableArray();
        return new Gang(placed, size - placed.Length);
    }

    /// <summary>The one domain that all pods with a place are in; null if there is none, or more than one.</summary>
    public string? Domain(JobSnapshot snapshot, string level)
    {
        var names = Fixed.Select(pod => pod.Place!).ToHashSet(StringComparer.Ordinal);
        var domains = snapshot.Nodes.Where(node => names.Contains(node.Name)).Select(node => Topology.DomainOf(node, level)).Distinct(StringComparer.Ordinal).ToList();
        return domains is [var only] ? only : null;
    }
}
