using System.Globalization;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Phi.Kubernetes;

namespace Phi.LocalCluster.Nodes;

/// <summary>What a node says of one of its containers.</summary>
internal sealed record ContainerState(string Name, string Image, DateTimeOffset? StartedAt, int? ExitCode = null, DateTimeOffset? FinishedAt = null, string? Message = null);

/// <summary>Writes a pod's status, again and again until the API server has it or the pod is gone.</summary>
internal sealed partial class PodStatusWriter(KubernetesConnection connection, string node, TimeProvider time, ILogger logger)
{
    private const string Manager = "phi-node";

    public async Task WriteAsync(V1Pod pod, string phase, string? podIp, IReadOnlyList<ContainerState> containers, string? reason, string? message, string? disruption, CancellationToken ct)
    {
        var now = Stamp(time.GetUtcNow());
        var isRunning = phase == "Running";
        var conditions = new JsonArray(
            Condition("Initialized", true, null, null, now),
            Condition("ContainersReady", isRunning, isRunning ? null : phase == "Succeeded" ? "PodCompleted" : "PodFailed", null, now),
            Condition("Ready", isRunning, isRunning ? null : phase == "Succeeded" ? "PodCompleted" : "PodFailed", null, now));
        if (disruption is not null)
        {
            conditions.Add((JsonNode)Condition("DisruptionTarget", true, disruption, message, now));
        }

        var status = new JsonObject
        {
            ["phase"] = phase,
            ["hostIP"] = "127.0.0.1",
            ["reason"] = reason,
            ["message"] = message,
            ["conditions"] = conditions,
            ["containerStatuses"] = new JsonArray([.. containers.Select(Container)]),
        };
        if (podIp is not null)
        {
            status["podIP"] = podIp;
            status["podIPs"] = new JsonArray(new JsonObject { ["ip"] = podIp });
            status["startTime"] = Stamp(containers.Min(container => container.StartedAt) ?? time.GetUtcNow());
        }

        var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid }, ["status"] = status };
        await RetryAsync(pod, () => connection.Pods().StrategicPatchAsync(pod.Metadata.NamespaceProperty, pod.Metadata.Name, patch, Manager, "status", ct), ct);
    }

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

    private static JsonObject Condition(string type, bool isTrue, string? reason, string? message, string now) => new()
    {
        ["type"] = type,
        ["status"] = isTrue ? "True" : "False",
        ["reason"] = reason,
        ["message"] = message,
        ["lastTransitionTime"] = now,
    };

    private static JsonObject Container(ContainerState container)
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
            { StartedAt: { } startedAt } => new JsonObject { ["running"] = new JsonObject { ["startedAt"] = Stamp(startedAt) } },
            _ => new JsonObject { ["waiting"] = new JsonObject { ["reason"] = "ContainerCreating" } },
        };
        var isRunning = container is { StartedAt: not null, ExitCode: null };
        return new JsonObject { ["name"] = container.Name, ["image"] = container.Image, ["imageID"] = "", ["restartCount"] = 0, ["ready"] = isRunning, ["started"] = isRunning, ["state"] = state };
    }

    private static string Stamp(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    [LoggerMessage(1, LogLevel.Warning, "Node {Node} could not report pod {Namespace}/{Pod}: {Problem}. Trying again.")]
    private static partial void LogRetry(ILogger logger, string node, string @namespace, string pod, string problem);
}
