using System.Globalization;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Phi.Api.Metadata;
using Phi.Kubernetes;

namespace Phi.LocalCluster.Nodes;

/// <summary>
/// The Node object and its lease. Labels are applied, so that those of others stay; taints and the cordon belong to whoever set them and
/// are given to a new object alone; the status goes through its subresource.
/// </summary>
internal sealed partial class NodeRegistration(KubernetesConnection connection, NodeAgentOptions options, TimeProvider time, ILogger logger)
{
    /// <summary>How this kind of node names its container runtime.</summary>
    public const string Runtime = "process://";
    public const string ShutdownReason = "NodeShutdown";
    private const string Manager = "phi-node";
    private const string LeaseNamespace = "kube-node-lease";

    /// <summary>Long enough for a busy machine, and what the node controller waits for.</summary>
    private const int LeaseSeconds = 40;
    private static readonly TimeSpan RenewPeriod = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan HeartbeatPeriod = TimeSpan.FromSeconds(30);
    private DateTimeOffset _heartbeat;
    /// <summary>No other agent serves the node; what is written of it is this agent's from then on.</summary>
    private bool _isOurs;

    /// <summary>Registers the node, then renews its lease and its status until cancelled.</summary>
    /// <exception cref="NodeException">Another agent serves a node of that name.</exception>
    public async Task RunAsync(int logPort, CancellationToken ct)
    {
        var isRegistered = false;
        while (true)
        {
            try
            {
                var node = await connection.Nodes().GetAsync("", options.Name, ct);
                if (!isRegistered || node is null)
                {
                    await RegisterAsync(node, logPort, ct);
                    isRegistered = true;
                }
                else
                {
                    await BeatAsync(node, ct);
                }

                await RenewAsync(ct);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or KubernetesApiException)
            {
                LogRetry(logger, options.Name, e.Message);
            }

            await Task.Delay(isRegistered ? RenewPeriod : TimeSpan.FromMilliseconds(500), time, ct);
        }
    }

    /// <summary>Says that the node takes no more pods. Best effort: the API server may be gone.</summary>
    public async Task StopAsync(CancellationToken ct)
    {
        if (!_isOurs)
        {
            // What is there under this name may be another agent's.
            return;
        }

        try
        {
            var node = await connection.Nodes().GetAsync("", options.Name, ct);
            await WriteStatusAsync(new JsonObject { ["conditions"] = Conditions(false, node) }, ct);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or KubernetesApiException or OperationCanceledException)
        {
            LogRetry(logger, options.Name, e.Message);
        }
    }

    private async Task RegisterAsync(V1Node? node, int logPort, CancellationToken ct)
    {
        var identity = NodeIdentity.Of(options.StateDirectory);
        if (node is not null && NodeIdentity.IsTaken(node, await connection.Leases().GetAsync(LeaseNamespace, options.Name, ct), identity, time.GetUtcNow()))
        {
            throw new NodeException($"node {options.Name} is taken: another agent renews its lease; choose another name, or stop that agent and wait {LeaseSeconds} s");
        }

        _isOurs = true;
        var simulated = options.Gpus > MachineFacts.Gpus;
        var metadata = new JsonObject { ["name"] = options.Name, ["labels"] = Labels(simulated), ["annotations"] = new JsonObject { [NodeIdentity.Annotation] = identity } };
        if (node is null)
        {
            await connection.Nodes().CreateAsync("", new V1Node { Metadata = new V1ObjectMeta { Name = options.Name }, Spec = new V1NodeSpec { Taints = options.Taints.Count == 0 ? null : [.. options.Taints] } }, Manager, ct);
        }

        await connection.Nodes().ApplyAsync("", options.Name, new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Node", ["metadata"] = metadata }, Manager, null, ct);
        var capacity = Capacity();
        await WriteStatusAsync(
            new JsonObject
            {
                ["capacity"] = capacity,
                ["allocatable"] = capacity.DeepClone(),
                ["conditions"] = Conditions(true, node),
                // No Hostname: an API server reaches a kubelet by that first, and the node's name is no host's.
                ["addresses"] = new JsonArray(new JsonObject { ["type"] = "InternalIP", ["address"] = "127.0.0.1" }),
                ["daemonEndpoints"] = new JsonObject { ["kubeletEndpoint"] = new JsonObject { ["Port"] = logPort } },
                ["nodeInfo"] = MachineFacts.NodeInfo(),
            },
            ct);
        LogReady(logger, options.Name, options.Gpus > 0 ? options.Gpus : options.Slots, options.Gpus == 0 ? "CPU slots" : simulated ? "simulated GPUs" : "GPUs");
    }

    private JsonObject Labels(bool simulated)
    {
        var labels = new JsonObject(options.Labels.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)))
        {
            [PhiNames.HostnameLabel] = options.Name,
            ["kubernetes.io/os"] = "linux",
            ["kubernetes.io/arch"] = MachineFacts.Architecture,
            [PhiNames.AcceleratorTypeLabel] = options.Gpus > 0 ? options.GpuProduct!.ToLowerInvariant() : "cpu",
        };
        if (options.Gpus > 0)
        {
            labels[NodeLabels.GpuProduct] = options.GpuProduct;
        }

        if (simulated)
        {
            labels[NodeLabels.Simulated] = "true";
        }

        return labels;
    }

    /// <summary>A null takes away what an earlier registration offered: a node offers GPUs or CPU slots, for its room is counted in one of them.</summary>
    private JsonObject Capacity()
    {
        var capacity = MachineFacts.Capacity(options.StateDirectory);
        capacity[PhiNames.CpuSlotResource] = options.Gpus > 0 ? null : options.Slots.ToString(CultureInfo.InvariantCulture);
        capacity[PhiNames.GpuResource] = options.Gpus > 0 ? options.Gpus.ToString(CultureInfo.InvariantCulture) : null;
        return capacity;
    }

    /// <summary>Writes the conditions when they are due, or when the node controller has given the node up meanwhile.</summary>
    private async Task BeatAsync(V1Node node, CancellationToken ct)
    {
        var isReady = node.Status?.Conditions?.Any(condition => condition is { Type: "Ready", Status: "True" }) == true;
        if (!isReady || time.GetUtcNow() - _heartbeat >= HeartbeatPeriod)
        {
            await WriteStatusAsync(new JsonObject { ["conditions"] = Conditions(true, node) }, ct);
        }
    }

    private JsonArray Conditions(bool isReady, V1Node? node) => NodeConditions.Of(isReady, MachineFacts.Load(options.StateDirectory), node?.Status?.Conditions, time.GetUtcNow());

    private async Task WriteStatusAsync(JsonObject status, CancellationToken ct)
    {
        await connection.Nodes().StrategicPatchAsync("", options.Name, new JsonObject { ["status"] = status }, Manager, "status", ct);
        _heartbeat = time.GetUtcNow();
    }

    private Task<V1Lease> RenewAsync(CancellationToken ct) => connection.Leases().ApplyAsync(LeaseNamespace, options.Name, new JsonObject
    {
        ["apiVersion"] = "coordination.k8s.io/v1",
        ["kind"] = "Lease",
        ["metadata"] = new JsonObject { ["name"] = options.Name },
        ["spec"] = new JsonObject
        {
            ["holderIdentity"] = options.Name,
            ["leaseDurationSeconds"] = LeaseSeconds,
            ["renewTime"] = time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
        },
    }, Manager, null, ct);

    [LoggerMessage(1, LogLevel.Information, "Node {Node} is ready with {Count} {What}.")]
    private static partial void LogReady(ILogger logger, string node, int count, string what);

    [LoggerMessage(2, LogLevel.Warning, "Node {Node} cannot reach the API server: {Problem}.")]
    private static partial void LogRetry(ILogger logger, string node, string problem);
}
