using System.Collections.Immutable;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;

namespace Phi.Reconcile.Policies;

/// <summary>Which pods the next attempt goes on with: all but those that ended, fell silent, never started, were disrupted, or are on a node to be left.</summary>
internal static class ReplacementPolicy
{
    /// <summary>For a pod whose agent answers nobody: its node, if it lives, needs no longer.</summary>
    private const int ShortGraceSeconds = 5;

    /// <summary>How long a node that did not remove a pod is kept away from: by then Kubernetes has noticed by itself (40 to 50 s).</summary>
    private static readonly TimeSpan SilentNodeLife = TimeSpan.FromMinutes(1);

    /// <param name="excluded">Nodes that the job keeps away from.</param>
    public static ImmutableArray<JobAction> Replace(GangView gang, IReadOnlyList<ExcludedNodeStatus>? excluded) =>
        [.. gang.Members.Select(member => Replace(gang, member, excluded)).OfType<JobAction.DeletePod>()];

    /// <summary>
    /// Deleting pods that nobody removes: their node is down or their agent silent. They may be taken away by force only when no rank of
    /// theirs can do harm any more: the agent has been silent for heartbeatTimeout, and the attempt that it ran is over in the status.
    /// </summary>
    public static ImmutableArray<GangMember> Forced(GangView gang) => [.. gang.Members.Where(member => member.Pod.IsDeleting && (member.IsSilent, member.Trouble is { IsDown: true }, member.IsOverdue) is (true, true, _) or (true, _, true) or (_, true, true))];

    /// <summary>Nodes that did not remove a pod though they seem ready.</summary>
    public static IEnumerable<ExcludedNodeStatus> Silent(GangView gang, IEnumerable<GangMember> forced) => forced
        .Where(member => member is { Trouble: null, Pod.Node: not null }).Select(member => member.Pod.Node).Distinct()
        .Select(node => new ExcludedNodeStatus { Node = node, Reason = "NodeSilent", Since = gang.Snapshot.Now, Until = gang.Snapshot.Now + SilentNodeLife });

    public static JobAction.DeletePod Delete(GangMember member, long? graceSeconds) => new(member.Pod.Name, member.Pod.Uid, graceSeconds);

    private static JobAction.DeletePod? Replace(GangView gang, GangMember member, IReadOnlyList<ExcludedNodeStatus>? excluded) => member switch
    {
        // Its own grace is for saving, which it cannot.
        { Pod.IsDeleting: true } => (member.IsSilent || member.IsLost) && member.Pod.DeleteBy > gang.Snapshot.Now.AddSeconds(ShortGraceSeconds) ? Delete(member, ShortGraceSeconds) : null,
        { Pod.HasEnded: true } => Delete(member, null),
        { IsSilent: true } or { IsLost: true } => Delete(member, ShortGraceSeconds),
        { Pod.IsDisrupted: true } => Delete(member, null),
        _ when StartPolicy.Remaining(gang, member) is { Ticks: <= 0 } => Delete(member, null),
        _ => NodeExclusion.ToLeave(gang.Snapshot, excluded, member.Pod.Node) is not null ? Delete(member, null) : null,
    };
}
