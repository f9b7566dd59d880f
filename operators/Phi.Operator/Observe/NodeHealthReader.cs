using k8s.Models;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;

namespace Phi.Operator.Observe;

/// <summary>From a node of the API server to what a decision needs to know of its health.</summary>
internal static class NodeHealthReader
{
    /// <summary>A node without the condition Ready has not been heard of by anybody.</summary>
    public static NodeHealth Read(V1Node node)
    {
        var ready = node.Status?.Conditions?.FirstOrDefault(condition => condition.Type == "Ready");
        return new NodeHealth(ready?.Status ?? "Unknown", ready?.Message, node.Spec?.Unschedulable == true, [.. (node.Spec?.Taints ?? []).Select(taint => new NodeTaint(taint.Key, taint.Value, taint.Effect))]);
    }

    /// <summary>No new pod goes to a node that is down or about to go.</summary>
    public static NodeSnapshot Judge(NodeSnapshot node) => node with { IsReady = node.IsReady && NodeTrouble.Of(node) is null };

    /// <summary>Whether the node's health is as it was; the time of its last heartbeat is no change.</summary>
    public static bool IsSame(V1Node? old, V1Node? now)
    {
        if (old is null || now is null)
        {
            return false;
        }

        var (before, after) = (Read(old), Read(now));
        return before.Ready == after.Ready && before.IsCordoned == after.IsCordoned && before.Taints.SequenceEqual(after.Taints);
    }
}
