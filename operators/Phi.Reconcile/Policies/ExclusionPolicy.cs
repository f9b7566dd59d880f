using Phi.Api.TrainingJobs;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>Nodes that a job keeps away from, and for how long: status.excludedNodes.</summary>
internal static class ExclusionPolicy
{
    /// <summary>What is still to be kept away from, with what is new; null if nothing is. An older entry of a node stays until it is over.</summary>
    public static List<ExcludedNodeStatus>? Update(JobSnapshot snapshot, IEnumerable<ExcludedNodeStatus> added)
    {
        var old = (snapshot.Status.ExcludedNodes ?? []).Where(entry => IsKept(snapshot, entry)).ToList();
        var all = old.Concat(added).GroupBy(entry => entry.Node)
            .Select(group => group.FirstOrDefault(entry => entry.Until is null) ?? group.FirstOrDefault(entry => entry.Until > snapshot.Now) ?? group.First()).ToList();
        return all.Count == 0 ? null : all;
    }

    public static bool IsExcluded(JobSnapshot snapshot, IEnumerable<ExcludedNodeStatus>? excluded, string? node) =>
        node is not null && excluded?.Any(entry => entry.Node == node && (entry.Until is null || entry.Until > snapshot.Now)) == true;

    /// <summary>
    /// The entry because of which pods that run on the node leave it too; null if there is none. A node that did not take or remove one
    /// pod is only kept away from: what runs there may go on.
    /// </summary>
    public static ExcludedNodeStatus? ToLeave(JobSnapshot snapshot, IEnumerable<ExcludedNodeStatus>? excluded, string? node) => node is null ? null
        : excluded?.FirstOrDefault(entry => entry is { Reason: "Straggler" or "RecoveryRule" or "DisruptionNotice" or "NodeGoing" or "NodeTainted" } && entry.Node == node && (entry.Until is null || entry.Until > snapshot.Now));

    /// <summary>Entries of other reasons are forgotten by those who made them: how often a node refused a pod tells them how long to leave it.</summary>
    private static bool IsKept(JobSnapshot snapshot, ExcludedNodeStatus entry) => entry.Reason switch
    {
        "NodeGoing" or "NodeTainted" => entry.Until > snapshot.Now
            && (snapshot.Nodes.FirstOrDefault(candidate => candidate.Name == entry.Node) is not { } node || NodeTrouble.Of(node, snapshot.Job.Spec.Template?.Tolerations) is not null),
        "DisruptionNotice" or "NodeSilent" => entry.Until > snapshot.Now,
        _ => true,
    };
}
