using System.Text.Json.Nodes;
using Phi.Api.Metadata;
using Phi.Cli.Resources;
using Phi.LocalCluster.Nodes;

namespace Phi.Cli.Doctor;

/// <summary>Whether there is something to train on, and what keeps jobs from it.</summary>
internal static class NodeChecks
{
    private const string LeaseNamespace = "kube-node-lease";
    private static readonly string[] DriverParts = ["major", "minor", "rev"];
    private static readonly TimeSpan Silent = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Ahead = TimeSpan.FromSeconds(10);

    /// <param name="now">The API server's time.</param>
    public static async Task<IReadOnlyList<CheckResult>> RunAsync(ClusterFacts facts, DateTimeOffset now, CancellationToken ct)
    {
        var nodes = await facts.ListAsync("", "v1", "nodes", null, null, ct);
        var leases = await facts.ListAsync("coordination.k8s.io", "v1", "leases", LeaseNamespace, null, ct);
        return [.. Judge(nodes), .. Clocks(nodes, leases, now)];
    }

    internal static IReadOnlyList<CheckResult> Judge(IReadOnlyList<ResourceRow> nodes)
    {
        if (nodes.Count == 0)
        {
            return [CheckResult.Fail("nodes", "there is none", "join one: phi node --kubeconfig FILE --name NAME --slots 4, or the cluster's own way")];
        }

        var ready = nodes.Where(IsReady).ToList();
        var slots = ready.Sum(node => node.Number("status", "allocatable", PhiNames.CpuSlotResource) ?? 0);
        var gpus = ready.Sum(node => node.Number("status", "allocatable", PhiNames.GpuResource) ?? 0);
        var message = FormattableString.Invariant($"{ready.Count} of {nodes.Count} are ready, with {gpus} GPUs and {slots} CPU slots");
        const string wake = "kubectl describe node NAME says why; their agents or kubelets may be down";
        return
        [
            ready.Count == 0 ? CheckResult.Fail("nodes", message, wake)
                : ready.Count < nodes.Count ? CheckResult.Warn("nodes", $"{message}; not ready: {Names(nodes.Except(ready))}", wake)
                : gpus + slots == 0 ? CheckResult.Fail("nodes", message, "no job can be placed: install the GPU device plugin, or join CPU nodes with phi node")
                : CheckResult.Ok("nodes", message),
            .. Held(nodes),
            .. Gpus(ready),
        ];
    }

    private static IEnumerable<CheckResult> Held(IReadOnlyList<ResourceRow> nodes)
    {
        if (nodes.Where(node => node.Text("spec", "unschedulable") == "true").ToList() is { Count: > 0 } cordoned)
        {
            yield return CheckResult.Warn("cordoned nodes", Names(cordoned), "kubectl uncordon NAME, once their maintenance is over");
        }

        // Every GPU pool is tainted so; the trainer's pods tolerate it.
        var tainted = nodes.Where(node => Taints(node).Any(taint => (string?)taint["effect"] is "NoSchedule" or "NoExecute" && (string?)taint["key"] != PhiNames.GpuResource && (string?)taint["key"] != "node.kubernetes.io/unschedulable")).ToList();
        if (tainted.Count > 0)
        {
            yield return CheckResult.Warn("tainted nodes", string.Join(", ", tainted.Select(node => $"{node.Name} ({string.Join(", ", Taints(node).Select(taint => (string?)taint["key"]))})")), "jobs go there only with spec.template.tolerations for it");
        }
    }

    private static IEnumerable<CheckResult> Gpus(IReadOnlyList<ResourceRow> ready)
    {
        var nodes = ready.Where(node => node.Number("status", "allocatable", PhiNames.GpuResource) > 0).ToList();
        if (nodes.Count == 0)
        {
            yield return CheckResult.Skip("GPUs", "no ready node offers any");
            yield break;
        }

        var unnamed = nodes.Where(node => Label(node, NodeLabels.GpuProduct) is null && Label(node, PhiNames.AcceleratorTypeLabel) is null).ToList();
        yield return unnamed.Count > 0
            ? CheckResult.Warn("GPUs", $"{Names(unnamed)} offer GPUs of no name: no label {NodeLabels.GpuProduct}", "install GPU feature discovery: a job's accelerator.type is matched to the label")
            : CheckResult.Ok("GPUs", string.Join(", ", nodes.GroupBy(node => Label(node, NodeLabels.GpuProduct) ?? Label(node, PhiNames.AcceleratorTypeLabel)).Select(group => FormattableString.Invariant($"{group.Sum(node => node.Number("status", "allocatable", PhiNames.GpuResource))} × {group.Key} on {group.Count()} nodes"))));
        yield return Drivers([.. nodes.Where(node => Label(node, NodeLabels.Simulated) is null)]);
    }

    private static CheckResult Drivers(IReadOnlyList<ResourceRow> nodes)
    {
        if (nodes.Count == 0)
        {
            return CheckResult.Skip("GPU drivers", "every GPU is simulated, and has none");
        }

        var versions = nodes.GroupBy(Driver).ToList();
        return versions.Any(group => group.Key is null) ? CheckResult.Skip("GPU drivers", $"{Names(versions.First(group => group.Key is null))} have no labels nvidia.com/cuda.driver…, which GPU feature discovery sets")
            : versions.Count > 1 ? CheckResult.Warn("GPU drivers", $"differ: {string.Join("; ", versions.Select(group => $"{group.Key} on {Names(group)}"))}", "bring the nodes to one version: a gang runs as far as the oldest goes")
            : CheckResult.Ok("GPU drivers", $"{versions[0].Key} on every GPU node");
    }

    /// <summary>In the newer form of the labels, or the older.</summary>
    private static string? Driver(ResourceRow node)
    {
        var whole = Label(node, "nvidia.com/cuda.driver-version.full");
        var parts = DriverParts.Select(part => Label(node, $"nvidia.com/cuda.driver.{part}")).OfType<string>().ToList();
        return whole ?? (parts.Count > 0 ? string.Join('.', parts) : null);
    }

    /// <summary>A node renews its Lease by its own clock.</summary>
    internal static IEnumerable<CheckResult> Clocks(IReadOnlyList<ResourceRow> nodes, IReadOnlyList<ResourceRow> leases, DateTimeOffset now)
    {
        var renewed = leases.Where(lease => nodes.Any(node => node.Name == lease.Name)).Select(lease => (lease.Name, Time: lease.Time("spec", "renewTime"))).Where(one => one.Time is not null).ToList();
        if (renewed.Count == 0)
        {
            yield return CheckResult.Skip("node clocks", $"there are no Leases of nodes in {LeaseNamespace}");
            yield break;
        }

        var ahead = renewed.Where(one => one.Time - now > Ahead).ToList();
        var late = renewed.Where(one => now - one.Time > Silent).ToList();
        yield return ahead.Count > 0 ? CheckResult.Warn("node clocks", $"{string.Join(", ", ahead.Select(one => one.Name))} renew their Leases in the API server's future", "set their clocks by NTP")
            : late.Count > 0 ? CheckResult.Warn("node clocks", $"{string.Join(", ", late.Select(one => one.Name))} have not renewed their Leases for a minute, or their clocks are behind", "see whether they are ready; if so, set their clocks by NTP")
            : CheckResult.Ok("node clocks", FormattableString.Invariant($"{renewed.Count} nodes renew their Leases by the API server's time"));
    }

    private static bool IsReady(ResourceRow node) => (node.Find("status", "conditions") as JsonArray ?? []).OfType<JsonObject>().Any(one => (string?)one["type"] == "Ready" && (string?)one["status"] == "True");

    private static IEnumerable<JsonObject> Taints(ResourceRow node) => (node.Find("spec", "taints") as JsonArray ?? []).OfType<JsonObject>();

    private static string? Label(ResourceRow node, string name) => node.Text("metadata", "labels", name);

    private static string Names(IEnumerable<ResourceRow> nodes) => string.Join(", ", nodes.Select(node => node.Name));
}
