using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Phi.Kubernetes;

namespace Phi.LocalCluster.Nodes;

/// <summary>Writes a pod's status, again and again until the API server has it or the pod is gone.</summary>
internal sealed partial class PodStatusWriter(KubernetesConnection connection, string node, TimeProvider time, ILogger logger)
{
    private const string Manager = "phi-node";

    /// <summary>By pod and condition: the status that was last written, and since when it holds.</summary>
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, (string Status, string At)>> _transitions = new(StringComparer.Ordinal);

    public async Task WriteAsync(V1Pod pod, PodReport report, CancellationToken ct)
    {
        var status = new JsonObject
        {
            ["phase"] = report.Phase,
            ["hostIP"] = "127.0.0.1",
            ["reason"] = report.Reason,
            ["message"] = report.Message,
            ["conditions"] = Conditions(pod, report),
            ["containerStatuses"] = new JsonArray([.. report.Containers.Select(container => Container(container, report.IsInitialized))]),
        };
        if (report.InitContainers.Count > 0)
        {
            status["initContainerStatuses"] = new JsonArray([.. report.InitContainers.Select(container => Container(container, true))]);
        }

        if (report.PodIp is not null)
        {
            status["podIP"] = report.PodIp;
            status["podIPs"] = new JsonArray(new JsonObject { ["ip"] = report.PodIp });
            status["startTime"] = Stamp(report.StartedAt ?? time.GetUtcNow());
        }

        var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid }, ["status"] = status };
        await RetryAsync(pod, () => connection.Pods().StrategicPatchAsync(pod.Metadata.NamespaceProperty, pod.Metadata.Name, patch, Manager, "status", ct), ct);
    }

    /// <summary>The pod's object is gone.</summary>
    public void Forget(string uid) => _transitions.TryRemove(uid, out _);

    /// <summary>The node's last word on a pod that was to be deleted.</summary>
    public Task RemoveAsync(V1Pod pod, CancellationToken ct) =>
        RetryAsync(pod, () => connection.Pods().DeleteAsync(pod.Metadata.NamespaceProperty, pod.Metadata.Name, pod.Metadata.Uid, 0, ct), ct);

    private async Task RetryAsync(V1Pod pod, Func<Task> write, CancellationToken ct)
    {
        for (var delay = TimeSpan.FromMilliseconds(100); ; delay = TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, TimeSpan.TicksPerSecond * 5)))
        {
            try
            {
                await write();
                return;
            }
            catch (KubernetesApiException e) when (e.IsNotFound || e.IsConflict)
            {
                // Gone, or another pod of that name: nothing of this one is left to report.
                return;
            }
            catch (Exception e) when (e is HttpRequestException or IOException or KubernetesApiException)
            {
                LogRetry(logger, node, pod.Metadata.NamespaceProperty, pod.Metadata.Name, e.Message);
                await Task.Delay(delay, time, ct);
            }
        }
    }

    /// <summary>The conditions that are the node's; those of others, such as an eviction's DisruptionTarget, are not in the patch and stay.</summary>
    private JsonArray Conditions(V1Pod pod, PodReport report)
    {
        var isRunning = report.Phase == "Running";
        var notReady = report.Phase switch { "Succeeded" => "PodCompleted", "Failed" => "PodFailed", _ => "ContainersNotReady" };
        var conditions = new JsonArray(
            Condition("Initialized", report.IsInitialized, report.IsInitialized ? null : "ContainersNotInitialized", null),
            Condition("ContainersReady", isRunning, isRunning ? null : notReady, null),
            Condition("Ready", isRunning, isRunning ? null : notReady, null));
        if (report.Disruption is not null)
        {
            conditions.Add((JsonNode)Condition("DisruptionTarget", true, report.Disruption, report.Message));
        }

        return conditions;

        JsonObject Condition(string type, bool isTrue, string? reason, string? message)
        {
            var value = isTrue ? "True" : "False";
            var transitions = _transitions.GetOrAdd(pod.Metadata.Uid, _ => new());
            if (!transitions.TryGetValue(type, out var last) || last.Status != value)
            {
                transitions[type] = last = (value, Stamp(time.GetUtcNow()));
            }

            return new() { ["type"] = type, ["status"] = value, ["reason"] = reason, ["message"] = message, ["lastTransitionTime"] = last.At };
        }
    }

    private static JsonObject Container(ContainerState container, bool isInitialized)
    {
        var state = container switch
        {
            { ExitCode: { } code } => new JsonObject
            {
                ["terminated"] = new JsonObject
                {
                    ["exitCode"] = code,
                    ["reason"] = code == 0 ? "Completed" : "Error",
                    ["message"] = container.Message,
                    ["startedAt"] = container.StartedAt is { } started ? Stamp(started) : null,
                    ["finishedAt"] = container.FinishedAt is { } finished ? Stamp(finished) : null,
                },
                ["running"] = null,
                ["waiting"] = null,
            },
            { StartedAt: { } startedAt } => new JsonObject { ["running"] = new JsonObject { ["startedAt"] = Stamp(startedAt) }, ["terminated"] = null, ["waiting"] = null },
            _ => new JsonObject
            {
                ["waiting"] = new JsonObject { ["reason"] = container.Waiting?.Reason ?? (isInitialized ? "ContainerCreating" : "PodInitializing"), ["message"] = container.Waiting?.Message },
            },
        };
        var isRunning = container is { StartedAt: not null, ExitCode: null };
        return new JsonObject { ["name"] = container.Name, ["image"] = container.Image, ["imageID"] = "", ["restartCount"] = container.Restarts, ["ready"] = isRunning, ["started"] = isRunning, ["state"] = state };
    }

    private static string Stamp(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    [LoggerMessage(1, LogLevel.Warning, "Node {Node} could not report pod {Namespace}/{Pod}: {Problem}. Trying again.")]
    private static partial void LogRetry(ILogger logger, string node, string @namespace, string pod, string problem);
}
