using System.Collections.Immutable;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>Finds a node for every gated pod of the gang, or for none.</summary>
public static class GangPlacement
{
    /// <summary>Best fit: each pod goes to the node with the least room that suffices. Null if not all fit, with the reason in <paramref name="why"/>.</summary>
    public static ImmutableArray<Placement>? Find(JobSnapshot snapshot, out string why)
    {
        var (type, each) = (snapshot.Job.Spec.Accelerator!.Type!, snapshot.PerReplica);
        var nodes = snapshot.Nodes.Where(node => node.IsReady && node.AcceleratorType == type && !ExclusionPolicy.IsExcluded(snapshot, snapshot.Status.ExcludedNodes, node.Name)).OrderBy(node => node.Name, StringComparer.Ordinal).ToList();
        var free = nodes.ToDictionary(node => node.Name, node => node.Free);
        var placements = ImmutableArray.CreateBuilder<Placement>();
        var gated = snapshot.Pods.Where(pod => pod is { IsGated: true, IsLive: true }).OrderBy(pod => pod.Index).ToList();
        foreach (var pod in gated)
        {
            var best = nodes.Where(node => free[node.Name] >= each).OrderBy(node => free[node.Name]).FirstOrDefault();
            if (best is null)
            {
                var total = nodes.Sum(node => node.Free);
                why = $"{gated.Count} pods of {each} {type} accelerators do not fit: {total} are free on {nodes.Count} ready nodes of that type";
                return null;
            }

            free[best.Name] -= each;
            placements.Add(new Placement(pod.Name, pod.Uid, best.Name));
        }

        why = $"{gated.Count} pods placed on {string.Join(", ", placements.Select(placement => placement.Node).Distinct())}";
        return placements.ToImmutable();
    }
}
