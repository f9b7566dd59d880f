using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Storage;

namespace Phi.LocalCluster.ApiServer.NodeHealth;

/// <summary>
/// Whether nodes live: one that neither renews its lease in kube-node-lease nor posts its status within the grace period becomes unknown,
/// until it does so again. Renewals are timed by this clock when they are seen, so that a node's own clock does not matter.
/// </summary>
internal sealed class NodeMonitor(ResourceService service, TimeProvider clock, TimeSpan gracePeriod)
{
    private const string LeaseNamespace = "kube-node-lease";
    private const string UnknownReason = "NodeStatusUnknown";
    private static readonly string[] Watched = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];
    private readonly Dictionary<string, (string Sign, DateTimeOffset Seen)> _signs = new(StringComparer.Ordinal);

    /// <summary>One look at every node: conditions, then the taints that follow from them. Returns the time until the next grace period ends.</summary>
    public TimeSpan? Pass()
    {
        var now = clock.GetUtcNow();
        var nodes = service.Store.List(BuiltInResources.Nodes.Storage).Items;
        foreach (var gone in _signs.Keys.Except(nodes.Select(Uid)).ToList())
        {
            _signs.Remove(gone);
        }

        TimeSpan? next = null;
        foreach (var node in nodes)
        {
            var seen = Seen(node, now);
            var left = seen.Seen + gracePeriod - now;
            try
            {
                service.Store.TryChange(BuiltInResources.Nodes, ResourceService.KeyOf(node), current =>
                {
                    if (left <= TimeSpan.Zero)
                    {
                        Lose(current, now);
                    }
                    else if (seen.IsRenewed)
                    {
                        Find(current, now);
                    }

                    Taints.Refresh(current, now);
                });
            }
            catch (ApiException e) when (e.Code == 404)
            {
                continue;
            }

            next = left > TimeSpan.Zero && (next is null || left < next) ? left : next;
        }

        return next;
    }

    /// <summary>When the node last gave a sign of life, and whether it has given one since this monitor looks at it.</summary>
    private (DateTimeOffset Seen, bool IsRenewed) Seen(JsonObject node, DateTimeOffset now)
    {
        var lease = service.Store.Get("leases.coordination.k8s.io", new ObjectKey(LeaseNamespace, (string)node["metadata"]!["name"]!));
        var sign = $"{(string?)lease?["spec"]?["renewTime"]} {(string?)Conditions.Find(node, "Ready")?["lastHeartbeatTime"]}";
        if (_signs.TryGetValue(Uid(node), out var known) && known.Sign == sign)
        {
            return (known.Seen, false);
        }

        _signs[Uid(node)] = (sign, now);
        return (now, known.Sign is not null);
    }

    private static void Lose(JsonObject node, DateTimeOffset now)
    {
        var status = node["status"] as JsonObject ?? (JsonObject)(node["status"] = new JsonObject());
        foreach (var type in Watched)
        {
            var old = Conditions.Find(node, type);
            if ((string?)old?["status"] == "Unknown" || (old is null && type != "Ready"))
            {
                continue;
            }

            var condition = old?.DeepClone().AsObject() ?? new JsonObject { ["type"] = type };
            condition["status"] = "Unknown";
            (condition["reason"], condition["message"]) = old is null ? ("NodeStatusNeverUpdated", "Kubelet never posted node status.") : (UnknownReason, "Kubelet stopped posting node status.");
            Conditions.Set(status, condition, now);
        }
    }

    /// <summary>
    /// A node that renews its lease again is ready again. A kubelet posts that itself; an agent that posts its status only when it
    /// registers would stay lost.
    /// </summary>
    private static void Find(JsonObject node, DateTimeOffset now)
    {
        if (Conditions.Find(node, "Ready") is JsonObject ready && (string?)ready["reason"] == UnknownReason)
        {
            var condition = ready.DeepClone().AsObject();
            (condition["status"], condition["reason"], condition["message"]) = ("True", "KubeletReady", "the node renews its lease again");
            Conditions.Set(node["status"]!.AsObject(), condition, now);
        }
    }

    private static string Uid(JsonObject node) => (string)node["metadata"]!["uid"]!;
}
