using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Storage;

namespace Phi.LocalCluster.ApiServer.NodeHealth;

/// <summary>Ends the pods that may not stay where they are: those that do not tolerate their node's NoExecute taints, and those of a node that is gone.</summary>
internal sealed class PodEvictor(ResourceService service, TimeProvider clock)
{
    /// <summary>A node may be registered again; its pods are given this long (as kube-controller-manager's pod garbage collector does).</summary>
    private static readonly TimeSpan OrphanQuarantine = TimeSpan.FromSeconds(40);
    private readonly Dictionary<string, DateTimeOffset> _tainted = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _missing = new(StringComparer.Ordinal);

    /// <summary>One look at every bound pod; returns the time until one must go.</summary>
    public TimeSpan? Pass()
    {
        var now = clock.GetUtcNow();
        var nodes = service.Store.List(BuiltInResources.Nodes.Storage).Items.ToDictionary(node => (string)node["metadata"]!["name"]!, StringComparer.Ordinal);
        var taints = nodes.ToDictionary(pair => pair.Key, pair => Taints.OfEffectNoExecute(pair.Value), StringComparer.Ordinal);
        var pods = service.Store.List(BuiltInResources.Pods.Storage).Items;
        Forget(pods, nodes, taints, now);
        TimeSpan? next = null;
        foreach (var pod in pods)
        {
            if (Left(pod, nodes, taints, now) is not { } left)
            {
                continue;
            }

            if (left.Time > TimeSpan.Zero)
            {
                next = next is null || left.Time < next ? left.Time : next;
            }
            else
            {
                End(pod, left.Reason, now);
            }
        }

        return next;
    }

    /// <summary>Pods that went, or whose node lost its taints, start anew; so do nodes that came back.</summary>
    private void Forget(IReadOnlyList<JsonObject> pods, Dictionary<string, JsonObject> nodes, Dictionary<string, IReadOnlyList<JsonNode>> taints, DateTimeOffset now)
    {
        var tainted = pods.Where(pod => taints.TryGetValue(Node(pod), out var ofNode) && ofNode.Count > 0).Select(Uid).ToHashSet(StringComparer.Ordinal);
        var missing = pods.Select(Node).Where(node => node.Length > 0 && !nodes.ContainsKey(node)).ToHashSet(StringComparer.Ordinal);
        Keep(_tainted, tainted, now);
        Keep(_missing, missing, now);

        static void Keep(Dictionary<string, DateTimeOffset> since, HashSet<string> wanted, DateTimeOffset now)
        {
            foreach (var old in since.Keys.Except(wanted).ToList())
            {
                since.Remove(old);
            }

            foreach (var one in wanted)
            {
                since.TryAdd(one, now);
            }
        }
    }

    /// <summary>How long the pod may stay, and what ends it then. Null: nothing does.</summary>
    private (TimeSpan Time, Ending Reason)? Left(JsonObject pod, Dictionary<string, JsonObject> nodes, Dictionary<string, IReadOnlyList<JsonNode>> taints, DateTimeOffset now)
    {
        var node = Node(pod);
        if (node.Length == 0)
        {
            return Conditions.IsEnding(pod) ? (TimeSpan.Zero, Ending.NeverScheduled) : null;
        }

        if (!nodes.TryGetValue(node, out var home))
        {
            return (_missing[node] + OrphanQuarantine - now, Ending.NodeGone);
        }

        if (Conditions.IsEnding(pod))
        {
            return Taints.Has(home, Taints.OutOfService) && (string?)Conditions.Find(home, "Ready")?["status"] != "True" ? (TimeSpan.Zero, Ending.OutOfService) : null;
        }

        return taints[node].Count > 0 && Taints.Patience(pod, taints[node]) is { } patience ? (_tainted[Uid(pod)] + patience - now, Ending.Tainted) : null;
    }

    private void End(JsonObject pod, Ending why, DateTimeOffset now)
    {
        var key = ResourceService.KeyOf(pod);
        var uid = Uid(pod);
        try
        {
            service.Store.TryChange(BuiltInResources.Pods, key, current =>
            {
                if (Uid(current) != uid)
                {
                    throw ApiException.NotFound("pods", key.Name);
                }

                Mark(current, why, now);
            });
            service.Delete(BuiltInResources.Pods, key, new DeleteOptions(why == Ending.Tainted ? null : 0, Uid: uid));
        }
        catch (ApiException e) when (e.Code is 404 or 409)
        {
            // Gone or replaced meanwhile.
        }
    }

    private static void Mark(JsonObject pod, Ending why, DateTimeOffset now)
    {
        switch (why)
        {
            case Ending.Tainted:
                Conditions.SetDisruptionTarget(pod, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint", now);
                return;
            case Ending.NodeGone:
                Conditions.SetDisruptionTarget(pod, "DeletionByPodGC", "PodGC: node no longer exists", now);
                break;
            case Ending.OutOfService:
                Conditions.SetDisruptionTarget(pod, "DeletionByPodGC", "PodGC: node is out of service", now);
                break;
            default:
                break;
        }

        if (!Conditions.IsTerminal(pod))
        {
            pod["status"]!["phase"] = "Failed";
        }
    }

    private static string Node(JsonObject pod) => (string?)pod["spec"]?["nodeName"] ?? "";

    private static string Uid(JsonObject pod) => (string)pod["metadata"]!["uid"]!;

    private enum Ending
    {
        Tainted,
        NodeGone,
        NeverScheduled,
        OutOfService,
    }
}
