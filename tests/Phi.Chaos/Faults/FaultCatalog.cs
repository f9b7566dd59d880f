using System.Text.Json.Nodes;
using Phi.Kubernetes;

namespace Phi.Chaos.Faults;

/// <summary>Everything that can be done to a cluster of this machine.</summary>
public static class FaultCatalog
{
    private static readonly Func<Task> Nothing = () => Task.CompletedTask;

    public static Fault RankKilled { get; } = new("rank killed", Charge.Charged, null, (target, _) => Do(() => Signals.Send(target.AnyRank().Id, Signals.Kill)));

    /// <summary>Its peers wait in a collective: a hang.</summary>
    public static Fault RankStopped { get; } = new("rank stopped", Charge.Charged, null, (target, _) => Do(() => Signals.Send(target.AnyRank().Id, Signals.Stop)));

    public static Fault AgentKilled { get; } = new("agent killed", Charge.Charged, null, (target, _) => Do(() => Signals.Send(target.AnyAgent().Id, Signals.Kill)));

    /// <summary>Its ranks train on, unheard.</summary>
    public static Fault AgentStopped { get; } = new("agent stopped", Charge.Free, null, (target, _) => Do(() => Signals.Send(target.AnyAgent().Id, Signals.Stop)));

    public static Fault PodDeleted { get; } = new("pod deleted", Charge.Free, 1, async (target, ct) =>
    {
        await target.Cluster.Connection.Pods().DeleteAsync(ChaosCluster.Namespace, target.AnyPod().Pod, null, null, ct);
        return Nothing;
    });

    public static Fault NodeDrained { get; } = new("node drained", Charge.Free, 1, DrainAsync);

    public static Fault SpotNotice { get; } = new("spot notice", Charge.Free, 1, (target, _) =>
    {
        var notice = Path.Combine(target.Cluster.Home, "nodes", target.AnyPod().Node, "notice");
        File.WriteAllText(notice, """{"source": "chaos", "kind": "Preempt"}""");
        return Task.FromResult<Func<Task>>(() =>
        {
            File.Delete(notice);
            return Task.CompletedTask;
        });
    });

    /// <summary>The machine is gone at once, and comes back later.</summary>
    public static Fault NodeKilled { get; } = new("node killed", Charge.Free, null, async (target, _) =>
    {
        var name = target.AnyPod().Node;
        var node = target.Cluster.Nodes[name];
        foreach (var process in target.On(name))
        {
            Signals.Send(process.Id, Signals.Kill);
        }

        await node.KillAsync();
        return () => Do(node.Start);
    });

    /// <summary>The machine is silent, as behind a broken network, and later goes on as if nothing had been.</summary>
    public static Fault NodeStopped { get; } = new("node silent", Charge.Free, null, (target, _) =>
    {
        var name = target.AnyPod().Node;
        var node = target.Cluster.Nodes[name];
        int[] all = [node.ProcessId, .. target.On(name).Select(process => process.Id)];
        Array.ForEach(all, process => Signals.Send(process, Signals.Stop));
        return Task.FromResult<Func<Task>>(() => Do(() => Array.ForEach(all, process => Signals.Send(process, Signals.Continue))));
    });

    public static Fault OperatorKilled { get; } = new("operator killed", Charge.None, 0, async (target, _) =>
    {
        await target.Cluster.Operator.KillAsync();
        target.Cluster.Operator.Start();
        return Nothing;
    });

    public static Fault OperatorStopped { get; } = new("operator stopped for 5 s", Charge.None, 0, async (target, ct) =>
    {
        target.Cluster.Operator.Stop();
        await Task.Delay(TimeSpan.FromSeconds(5), ct);
        target.Cluster.Operator.Continue();
        return Nothing;
    });

    public static Fault ApiServerKilled { get; } = new("API server killed", Charge.None, 0, async (target, _) =>
    {
        await target.Cluster.ControlPlane.KillAsync();
        target.Cluster.ControlPlane.Start();
        return Nothing;
    });

    public static Fault ApiServerStopped { get; } = new("API server stopped for 5 s", Charge.None, 0, async (target, ct) =>
    {
        target.Cluster.ControlPlane.Stop();
        await Task.Delay(TimeSpan.FromSeconds(5), ct);
        target.Cluster.ControlPlane.Continue();
        return Nothing;
    });

    public static IReadOnlyList<Fault> All { get; } =
    [
        RankKilled, RankStopped, AgentKilled, AgentStopped, PodDeleted, NodeDrained, SpotNotice, NodeKilled, NodeStopped, OperatorKilled, OperatorStopped, ApiServerKilled, ApiServerStopped,
    ];

    /// <summary>What kubectl drain does: cordon, then evict every pod.</summary>
    private static async Task<Func<Task>> DrainAsync(FaultTarget target, CancellationToken ct)
    {
        var connection = target.Cluster.Connection;
        var node = target.AnyPod().Node;
        await CordonAsync(true);
        foreach (var (pod, _) in target.Placement.Where(place => place.Node == node))
        {
            await connection.Pods().PostAsync(ChaosCluster.Namespace, pod, "eviction", new JsonObject
            {
                ["apiVersion"] = "policy/v1",
                ["kind"] = "Eviction",
                ["metadata"] = new JsonObject { ["name"] = pod, ["namespace"] = ChaosCluster.Namespace },
            }, ct);
        }

        return () => CordonAsync(false);

        Task CordonAsync(bool isCordoned) => connection.Nodes().MergePatchAsync("", node, new JsonObject { ["spec"] = new JsonObject { ["unschedulable"] = isCordoned ? true : null } }, "phi-chaos", null, CancellationToken.None);
    }

    private static Task<Func<Task>> Do(Action action)
    {
        action();
        return Task.FromResult(Nothing);
    }
}
