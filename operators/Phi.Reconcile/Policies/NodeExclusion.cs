using Phi.Api.TrainingJobs;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>Nodes that a job keeps away from, and for how long: status.excludedNodes.</summary>
internal static class NodeExclusion
{
    /// <summary>How long a node that did not take a pod is left out; twice as long each time it happens again.</summary>
    public static readonly TimeSpan First = TimeSpan.FromMinutes(1);

    /// <summary>The most of that; as long after its end it is forgotten how often it happened.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <summary>The entry that keeps the job from the node now; null if there is none.</summary>
    public static ExcludedNodeStatus? Find(JobSnapshot snapshot, string? node) => Find(snapshot, snapshot.Status.ExcludedNodes, node);

    /// <summary>
    /// The entry because of which pods that run on the node leave it too; null if there is none. A node that did not take or remove one
    /// pod is only kept away from: what runs there may go on.
    /// </summary>
    public static ExcludedNodeStatus? ToLeave(JobSnapshot snapshot, IEnumerable<ExcludedNodeStatus>? excluded, string? node) =>
        Find(snapshot, excluded?.Where(entry => entry.Reason is "Straggler" or "RecoveryRule" or "DisruptionNotice" or "NodeGoing" or "NodeTainted"), node);

    /// <summary>What is still to be kept away from, with what is new; null if nothing is. An older entry of a node stays until it is over, unless the new one escalates it.</summary>
    public static List<ExcludedNodeStatus>? Update(JobSnapshot snapshot, IEnumerable<ExcludedNodeStatus> added)
    {
        var old = (snapshot.Status.ExcludedNodes ?? []).Where(entry => IsKept(snapshot, entry)).ToList();
        var all = old.Concat(added).GroupBy(entry => entry.Node).Select(group => Pick(snapshot, [.. group])).ToList();
        return all.Count == 0 ? null : all;
    }

    /// <summary>The entry of a node that did not take a pod: from now on, for longer than the last time. One without an end stays as it is.</summary>
    public static ExcludedNodeStatus Escalate(JobSnapshot snapshot, IEnumerable<ExcludedNodeStatus>? list, string node, string reason)
    {
        var old = list?.LastOrDefault(entry => entry.Node == node);
        if (old is { Until: null })
        {
            return old;
        }

        var last = old is { Since: { } since, Until: { } until } && snapshot.Now - until < Longest ? until - since : TimeSpan.Zero;
        var next = last == TimeSpan.Zero ? First : last + last < Longest ? last + last : Longest;
        return new ExcludedNodeStatus { Node = node, Reason = reason, Since = snapshot.Now, Until = snapshot.Now + next };
    }

    private static ExcludedNodeStatus? Find(JobSnapshot snapshot, IEnumerable<ExcludedNodeStatus>? excluded, string? node) =>
        node is null ? null : excluded?.FirstOrDefault(entry => entry.Node == node && IsInForce(snapshot, entry));

    /// <param name="ofOneNode">The older ones first.</param>
    private static ExcludedNodeStatus Pick(JobSnapshot snapshot, List<ExcludedNodeStatus> ofOneNode) =>
        ofOneNode.Find(entry => entry.Until is null)
        ?? (ofOneNode.Find(entry => IsInForce(snapshot, entry)) is { } first ? (IsEscalation(first) ? ofOneNode.FindLast(entry => IsEscalation(entry) && IsInForce(snapshot, entry)) : first) : null)
        ?? ofOneNode[0];

    private static bool IsInForce(JobSnapshot snapshot, ExcludedNodeStatus entry) => entry.Until is not { } until || until > snapshot.Now;

    private static bool IsEscalation(ExcludedNodeStatus entry) => entry.Reason == "NotStarted" || entry.Reason?.StartsWith("NotBound", StringComparison.Ordinal) == true;

    /// <summary>How often a node did not take a pod tells how long to leave it the next time, so those entries outlive their end.</summary>
    private static bool IsKept(JobSnapshot snapshot, ExcludedNodeStatus entry) => entry.Reason switch
    {
        "NodeGoing" or "NodeTainted" => entry.Until > snapshot.Now
            && (snapshot.Nodes.FirstOrDefault(candidate => candidate.Name == entry.Node) is not { } node || NodeTrouble.Of(node, snapshot.Job.Spec.Template?.Tolerations) is not null),
        "DisruptionNotice" or "NodeSilent" => entry.Until > snapshot.Now,
        _ => entry.Until is not { } until || snapshot.Now - until < Longest,
    };
}
