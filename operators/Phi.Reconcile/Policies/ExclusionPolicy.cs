using Phi.Api.TrainingJobs;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>Nodes that a job keeps away from, and for how long.</summary>
internal static class ExclusionPolicy
{
    /// <summary>What is still to be kept away from, with what is new; null if nothing is. The older entry of a node stays.</summary>
    public static List<ExcludedNodeStatus>? Update(JobSnapshot snapshot, IEnumerable<ExcludedNodeStatus> added)
    {
        var old = (snapshot.Status.ExcludedNodes ?? []).Where(excluded => IsStill(snapshot, excluded));
        var all = old.Concat(added).GroupBy(excluded => excluded.Node).Select(group => group.FirstOrDefault(excluded => IsForLife(excluded)) ?? group.First()).ToList();
        return all.Count == 0 ? null : all;
    }

    public static bool IsExcluded(IEnumerable<ExcludedNodeStatus>? excluded, string? node) => node is not null && excluded?.Any(entry => entry.Node == node) == true;

    private static bool IsStill(JobSnapshot snapshot, ExcludedNodeStatus excluded)
    {
        if (IsForLife(excluded))
        {
            return true;
        }

        var node = snapshot.Nodes.FirstOrDefault(candidate => candidate.Name == excluded.Node);
        return node is not null && (excluded.Until is { } until ? snapshot.Now < until : NodeTrouble.Of(node, snapshot.Job.Spec.Template?.Tolerations) is not null);
    }

    /// <summary>A taint's entry has no end in it, but ends with the taint.</summary>
    private static bool IsForLife(ExcludedNodeStatus excluded) => excluded is { Until: null, Reason: not ("NodeGoing" or "NodeTainted") };
}
