using k8s;
using k8s.Models;
using Phi.Kubernetes.Scheduling;

namespace Phi.LocalCluster.Scheduling;

/// <summary>
/// Nodes with what their pods take, and the pods that wait, kept current change by change: a change costs what it touches, never a
/// look at every pod. Safe for the informers' threads and the scheduler's.
/// </summary>
internal sealed class ClusterIndex(string scheduler)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, V1Node> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, NodeUsage> _usage = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WaitingPod> _waiting = new(StringComparer.Ordinal);

    /// <summary>The node of each pod that takes room, by uid; one that this scheduler bound counts before the informer shows it.</summary>
    private readonly Dictionary<string, (string Node, IReadOnlyDictionary<string, decimal> Requests)> _placed = new(StringComparer.Ordinal);

    /// <summary>Takes a change of a pod.</summary>
    /// <returns>True if it may let a pod be placed that could not be before.</returns>
    public bool Set(V1Pod? old, V1Pod? now)
    {
        lock (_lock)
        {
            var isFreed = old is not null && old.Metadata.Uid != now?.Metadata.Uid && Remove(old.Metadata.Uid);
            if (now is null)
            {
                return isFreed;
            }

            var uid = now.Metadata.Uid;
            if (now.Status?.Phase is "Succeeded" or "Failed")
            {
                return Remove(uid) || isFreed;
            }

            if (!string.IsNullOrEmpty(now.Spec.NodeName))
            {
                Place(uid, now.Spec.NodeName, PodRequests.Of(now));
                return isFreed;
            }

            if (now.Metadata.DeletionTimestamp is not null || (now.Spec.SchedulerName ?? scheduler) != scheduler)
            {
                return Remove(uid) || isFreed;
            }

            // Bound already: the informer is behind.
            return isFreed || (!_placed.ContainsKey(uid) && Wait(now));
        }
    }

    /// <summary>Takes a change of a node.</summary>
    /// <returns>True if it differs in what placing a pod depends on; a heartbeat does not.</returns>
    public bool Set(V1Node? old, V1Node? now)
    {
        lock (_lock)
        {
            if (now is null)
            {
                _nodes.Remove(old!.Metadata.Name);
                return true;
            }

            _nodes[now.Metadata.Name] = now;
            return old is null || Shape(old) != Shape(now);
        }
    }

    /// <summary>Pods that wait, gated ones too: higher priority first, then older, then by name.</summary>
    public IReadOnlyList<WaitingPod> Waiting()
    {
        lock (_lock)
        {
            return
            [
                .. _waiting.Values.OrderByDescending(waiting => waiting.Pod.Spec.Priority ?? 0)
                    .ThenBy(waiting => waiting.Pod.Metadata.CreationTimestamp)
                    .ThenBy(waiting => waiting.Pod.Metadata.NamespaceProperty, StringComparer.Ordinal)
                    .ThenBy(waiting => waiting.Pod.Metadata.Name, StringComparer.Ordinal),
            ];
        }
    }

    /// <summary>
    /// The node that fits, with the fewest taints that the pod would rather not have, then the fewest pods, then by name; and why each
    /// other one does not.
    /// </summary>
    public (V1Node? Node, IReadOnlyList<string> Reasons) Choose(WaitingPod waiting)
    {
        lock (_lock)
        {
            var reasons = new List<string>();
            V1Node? best = null;
            (int Unwanted, int Pods, string Name) least = default;
            foreach (var node in _nodes.Values)
            {
                var usage = _usage.GetValueOrDefault(node.Metadata.Name) ?? NodeUsage.None;
                if (NodeFit.WhyNot(waiting.Pod, waiting.Requests, node, usage.Sum) is { } reason)
                {
                    reasons.Add(reason);
                    continue;
                }

                var rank = (Tolerations.Unwanted(waiting.Pod, node), usage.Pods, node.Metadata.Name);
                if (best is null || Comparer<(int, int, string)>.Default.Compare(rank, least) < 0)
                {
                    (best, least) = (node, rank);
                }
            }

            return (best, reasons);
        }
    }

    /// <summary>Counts a pod on its node from now on, before the informer shows it there.</summary>
    public void Assume(WaitingPod waiting, string node)
    {
        lock (_lock)
        {
            // Unless the informer has shown it there meanwhile, or its end.
            if (_waiting.ContainsKey(waiting.Pod.Metadata.Uid))
            {
                Place(waiting.Pod.Metadata.Uid, node, waiting.Requests);
            }
        }
    }

    private bool Wait(V1Pod pod)
    {
        var waiting = new WaitingPod(pod);
        var isNew = !_waiting.TryGetValue(pod.Metadata.Uid, out var before) || before.Shape != waiting.Shape || before.IsGated != waiting.IsGated || before.Pod.Spec.Priority != pod.Spec.Priority;
        _waiting[pod.Metadata.Uid] = waiting;
        return isNew;
    }

    private void Place(string uid, string node, IReadOnlyDictionary<string, decimal> requests)
    {
        Remove(uid);
        _placed[uid] = (node, requests);
        if (!_usage.TryGetValue(node, out var usage))
        {
            _usage[node] = usage = new NodeUsage();
        }

        usage.Add(requests, 1);
    }

    /// <summary>True if room became free.</summary>
    private bool Remove(string uid)
    {
        _waiting.Remove(uid);
        if (!_placed.Remove(uid, out var placed))
        {
            return false;
        }

        var usage = _usage[placed.Node];
        usage.Add(placed.Requests, -1);
        if (usage.Pods == 0)
        {
            _usage.Remove(placed.Node);
        }

        return true;
    }

    /// <summary>What placing depends on, as text.</summary>
    private static string Shape(V1Node node) => string.Join('\n',
        NodeFit.IsReady(node),
        node.Spec?.Unschedulable == true,
        Text(node.Spec?.Taints),
        Text(node.Metadata.Labels),
        Text(node.Status?.Allocatable));

    private static string Text(object? value) => value is null ? "" : KubernetesJson.Serialize(value);
}
