using System.Text.Json.Nodes;
using System.Threading.Channels;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Phi.Kubernetes;

namespace Phi.LocalCluster.Scheduling;

/// <summary>Binds each pod without gates to the node that fits and has the fewest pods. One pass over all that waits, at every change.</summary>
public sealed partial class SchedulerHost
{
    private const string Name = "default-scheduler";
    private readonly KubernetesConnection _connection;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Informer<V1Pod> _pods;
    private readonly Informer<V1Node> _nodes;
    private readonly Dictionary<string, string> _reported = new(StringComparer.Ordinal);

    /// <summary>Bound by this scheduler, but not yet so in the informer's copy.</summary>
    private readonly Dictionary<string, string> _assumed = new(StringComparer.Ordinal);

    private SchedulerHost(KubernetesConnection connection, TimeProvider time, ILoggerFactory logs)
    {
        (_connection, _time) = (connection, time);
        _logger = logs.CreateLogger<SchedulerHost>();
        _pods = new Informer<V1Pod>(connection.Pods(), null, null, time, _logger);
        _nodes = new Informer<V1Node>(connection.Nodes(), null, null, time, _logger);
    }

    /// <summary>Runs until cancelled.</summary>
    public static async Task RunAsync(KubernetesConnection connection, TimeProvider time, ILoggerFactory logs, CancellationToken ct)
    {
        var scheduler = new SchedulerHost(connection, time, logs);
        var changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var informers = Task.WhenAll(
            scheduler._pods.RunAsync((_, _, _) => changes.Writer.TryWrite(true), stop.Token),
            scheduler._nodes.RunAsync((_, _, _) => changes.Writer.TryWrite(true), stop.Token));
        try
        {
            await Task.WhenAll(scheduler._pods.Synced, scheduler._nodes.Synced).WaitAsync(ct);
            await foreach (var _ in changes.Reader.ReadAllAsync(ct))
            {
                if (!await scheduler.PassAsync(ct))
                {
                    // A bind that failed for a passing reason is tried again, even if nothing else changes.
                    await Task.Delay(TimeSpan.FromMilliseconds(200), time, ct);
                    changes.Writer.TryWrite(true);
                }
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The end that was asked for.
        }
        finally
        {
            await stop.CancelAsync();
            await informers.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>False if something must be tried again.</summary>
    private async Task<bool> PassAsync(CancellationToken ct)
    {
        var pods = _pods.All;
        foreach (var pod in pods.Where(pod => !string.IsNullOrEmpty(pod.Spec.NodeName)))
        {
            _assumed.Remove(pod.Metadata.Uid);
        }

        var isDone = true;
        foreach (var pod in pods.Where(IsWaiting).OrderBy(pod => pod.Metadata.CreationTimestamp).ThenBy(pod => pod.Metadata.Name, StringComparer.Ordinal))
        {
            isDone &= await PlaceAsync(pod, pods, ct);
        }

        return isDone;
    }

    private bool IsWaiting(V1Pod pod) =>
        string.IsNullOrEmpty(pod.Spec.NodeName)
        && pod.Metadata.DeletionTimestamp is null
        && pod.Spec.SchedulingGates is not { Count: > 0 }
        && pod.Status?.Phase is null or "Pending"
        && pod.Spec.SchedulerName is null or Name
        && !_assumed.ContainsKey(pod.Metadata.Uid);

    private async Task<bool> PlaceAsync(V1Pod pod, IReadOnlyCollection<V1Pod> pods, CancellationToken ct)
    {
        var reasons = new List<string>();
        V1Node? best = null;
        var fewest = int.MaxValue;
        foreach (var node in _nodes.All.OrderBy(node => node.Metadata.Name, StringComparer.Ordinal))
        {
            var onNode = pods.Where(other => (other.Spec.NodeName ?? _assumed.GetValueOrDefault(other.Metadata.Uid)) == node.Metadata.Name).ToList();
            if (NodeFit.WhyNot(pod, node, onNode) is { } reason)
            {
                reasons.Add(reason);
            }
            else if (onNode.Count < fewest)
            {
                (best, fewest) = (node, onNode.Count);
            }
        }

        if (best is null)
        {
            return await ReportAsync(pod, reasons, ct);
        }

        try
        {
            await _connection.Pods().PostAsync(pod.Metadata.NamespaceProperty, pod.Metadata.Name, "binding", new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "Binding",
                ["metadata"] = new JsonObject { ["name"] = pod.Metadata.Name, ["namespace"] = pod.Metadata.NamespaceProperty },
                ["target"] = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Node", ["name"] = best.Metadata.Name },
            }, ct);
            _assumed[pod.Metadata.Uid] = best.Metadata.Name;
            _reported.Remove(pod.Metadata.Uid);
            LogBound(_logger, pod.Metadata.NamespaceProperty, pod.Metadata.Name, best.Metadata.Name);
            return true;
        }
        catch (Exception e) when (e is KubernetesApiException or HttpRequestException)
        {
            LogNotBound(_logger, pod.Metadata.NamespaceProperty, pod.Metadata.Name, e.Message);
            return e is KubernetesApiException { IsNotFound: true } or KubernetesApiException { IsConflict: true };
        }
    }

    /// <summary>Sets PodScheduled=False with the count of each reason, when it is not what was said before.</summary>
    private async Task<bool> ReportAsync(V1Pod pod, List<string> reasons, CancellationToken ct)
    {
        var counted = string.Join(", ", reasons.GroupBy(reason => reason).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => $"{group.Count()} {group.Key}"));
        var message = $"0/{reasons.Count} nodes are available: {(counted.Length == 0 ? "no node has joined" : counted)}.";
        if (_reported.GetValueOrDefault(pod.Metadata.Uid) == message)
        {
            return true;
        }

        _reported[pod.Metadata.Uid] = message;
        try
        {
            await _connection.Pods().StrategicPatchAsync(pod.Metadata.NamespaceProperty, pod.Metadata.Name, new JsonObject
            {
                ["status"] = new JsonObject
                {
                    ["conditions"] = new JsonArray(new JsonObject
                    {
                        ["type"] = "PodScheduled",
                        ["status"] = "False",
                        ["reason"] = "Unschedulable",
                        ["message"] = message,
                        ["lastTransitionTime"] = _time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
                    }),
                },
            }, Name, "status", ct);
            return true;
        }
        catch (Exception e) when (e is KubernetesApiException or HttpRequestException)
        {
            LogNotBound(_logger, pod.Metadata.NamespaceProperty, pod.Metadata.Name, e.Message);
            return false;
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Bound pod {Namespace}/{Pod} to {Node}.")]
    private static partial void LogBound(ILogger logger, string @namespace, string pod, string node);

    [LoggerMessage(2, LogLevel.Warning, "Pod {Namespace}/{Pod} was not bound: {Problem}.")]
    private static partial void LogNotBound(ILogger logger, string @namespace, string pod, string problem);
}
