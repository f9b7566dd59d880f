using System.Globalization;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Phi.Api.Metadata;
using Phi.Kubernetes;

namespace Phi.LocalCluster.Nodes;

/// <summary>The Node object and its lease.</summary>
internal sealed partial class NodeRegistration(KubernetesConnection connection, NodeAgentOptions options, TimeProvider time, ILogger logger)
{
    private const string Manager = "phi-node";
    private const string LeaseNamespace = "kube-node-lease";
    private const int LeaseSeconds = 40;
    private static readonly TimeSpan RenewPeriod = TimeSpan.FromSeconds(10);

    /// <summary>Registers the node, then renews its lease until cancelled.</summary>
    public async Task RunAsync(int logPort, TaskCompletionSource registered, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                if (!registered.Task.IsCompleted)
                {
                    await RegisterAsync(logPort, ct);
                    registered.TrySetResult();
                    LogReady(logger, options.Name, options.Slots);
                }

                await RenewAsync(ct);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or KubernetesApiException)
            {
                LogRetry(logger, options.Name, e.Message);
            }

            await Task.Delay(registered.Task.IsCompleted ? RenewPeriod : TimeSpan.FromMilliseconds(500), time, ct);
        }
    }

    /// <summary>Says that the node takes no more pods. Best effort: the API server may be gone.</summary>
    public async Task StopAsync(CancellationToken ct)
    {
        try
        {
            await connection.Nodes().StrategicPatchAsync("", options.Name, new JsonObject { ["status"] = new JsonObject { ["conditions"] = Ready(false) } }, Manager, "status", ct);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or KubernetesApiException or OperationCanceledException)
        {
            LogRetry(logger, options.Name, e.Message);
        }
    }

    private async Task RegisterAsync(int logPort, CancellationToken ct)
    {
        var labels = new JsonObject
        {
            [PhiNames.HostnameLabel] = options.Name,
            [PhiNames.AcceleratorTypeLabel] = "cpu",
            ["kubernetes.io/os"] = "linux",
            ["kubernetes.io/arch"] = System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64",
        };
        await connection.Nodes().ApplyAsync("", options.Name, new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Node",
            ["metadata"] = new JsonObject { ["name"] = options.Name, ["labels"] = labels },
        }, Manager, null, ct);
        var capacity = new JsonObject
        {
            ["cpu"] = Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture),
            ["memory"] = (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1024).ToString(CultureInfo.InvariantCulture) + "Ki",
            ["pods"] = "110",
            [PhiNames.CpuSlotResource] = options.Slots.ToString(CultureInfo.InvariantCulture),
        };
        await connection.Nodes().StrategicPatchAsync("", options.Name, new JsonObject
        {
            ["status"] = new JsonObject
            {
                ["capacity"] = capacity,
                ["allocatable"] = capacity.DeepClone(),
                ["conditions"] = Ready(true),
                ["addresses"] = new JsonArray(new JsonObject { ["type"] = "InternalIP", ["address"] = "127.0.0.1" }, new JsonObject { ["type"] = "Hostname", ["address"] = options.Name }),
                ["daemonEndpoints"] = new JsonObject { ["kubeletEndpoint"] = new JsonObject { ["Port"] = logPort } },
                ["nodeInfo"] = new JsonObject
                {
                    ["kubeletVersion"] = "v1.34.0+phi",
                    ["osImage"] = System.Runtime.InteropServices.RuntimeInformation.OSDescription,
                    ["kernelVersion"] = Environment.OSVersion.Version.ToString(),
                    ["containerRuntimeVersion"] = "process://1",
                    ["operatingSystem"] = "linux",
                    ["architecture"] = (string?)labels["kubernetes.io/arch"],
                    ["machineID"] = "",
                    ["systemUUID"] = "",
                    ["bootID"] = "",
                    ["kubeProxyVersion"] = "",
                },
            },
        }, Manager, "status", ct);
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

    private JsonArray Ready(bool isReady)
    {
        var now = time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        return
        [
            new JsonObject
            {
                ["type"] = "Ready",
                ["status"] = isReady ? "True" : "False",
                ["reason"] = isReady ? "KubeletReady" : "NodeShutdown",
                ["message"] = isReady ? "node agent is posting ready status" : "node agent is stopping",
                ["lastHeartbeatTime"] = now,
                ["lastTransitionTime"] = now,
            },
        ];
    }

    [LoggerMessage(1, LogLevel.Information, "Node {Node} is ready with {Slots} slots.")]
    private static partial void LogReady(ILogger logger, string node, int slots);

    [LoggerMessage(2, LogLevel.Warning, "Node {Node} cannot reach the API server: {Problem}.")]
    private static partial void LogRetry(ILogger logger, string node, string problem);
}
