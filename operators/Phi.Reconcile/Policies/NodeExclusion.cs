using System.Collections.Immutable;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>Nodes that a job keeps away from: status.excludedNodes.</summary>
internal static class NodeExclusion
{
    /// <summary>How long a node that did not take a pod is left out; twice as long each time it happens again.</summary>
    public static readonly TimeSpan First = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <summary>The entry that keeps the job from the node now; null if there is none.</summary>
    public static ExcludedNodeStatus? Find(JobSnapshot snapshot, string node) =>
        snapshot.Status.ExcludedNodes?.Find(entry => entry.Node == node && (entry.Until is not { } until || until > snapshot.Now));

    /// <summary>The list with the node left out from now on. An entry without an end stays as it is; one that is long over is forgotten.</summary>
    public static ImmutableArray<ExcludedNodeStatus> Add(JobSnapshot snapshot, ImmutableArray<ExcludedNodeStatus> list, string node, string reason)
    {
        var old = list.FirstOrDefault(entry => entry.Node == node);
        if (old is { Until: null })
        {
            return list;
        }

        var last = old is { Since: { } since, Until: { } until } && snapshot.Now - until < Longest ? until - since : TimeSpan.Zero;
        var next = last == TimeSpan.Zero ? First : last + last < Longest ? last + last : Longest;
        return
        [
            .. list.Where(entry => entry.Node != node && (entry.Until is not { } end || snapshot.Now - end < Longest)),
            new ExcludedNodeStatus { Node = node, Reason = reason, Since = snapshot.Now, Until = snapshot.Now + next },
        ];
    }
}
