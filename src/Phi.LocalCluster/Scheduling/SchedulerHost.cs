using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Phi.Kubernetes;

namespace Phi.LocalCluster.Scheduling;

/// <summary>
/// Binds each pod without gates to a node that fits, see <see cref="ClusterIndex"/>; the higher priority first. A change that can let a
/// pod be placed starts a pass over all that waits; pods of one shape are held against the nodes once a pass.
/// </summary>
public sealed partial class SchedulerHost
{
    private const string Name = "default-scheduler";
    private const string GatedMessage = "Scheduling is blocked due to non-empty scheduling gates";
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);
    private readonly KubernetesConnection _connection;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ClusterIndex _index = new(Name);
    private readonly Informer<V1Pod> _pods;
    private readonly Informer<V1Node> _nodes;

    /// <summary>What was last said of each pod that waits, by uid.</summary>
    private Dictionary<string, string> _reported = new(StringComparer.Ordinal);

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
            scheduler._pods.RunAsync((_, old, now) => Announce(scheduler._index.Set(old, now)), stop.Token),
            scheduler._nodes.RunAsync((_, old, now) => Announce(scheduler._index.Set(old, now)), stop.Token));
        try
        {
            // An informer that fails ends the scheduler: without it nothing would ever be placed, and nobody would know.
            _ = informers.ContinueWith(ended => changes.Writer.TryComplete(ended.Exception), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            await Task.WhenAny(Task.WhenAll(scheduler._pods.Synced, scheduler._nodes.Synced), informers).WaitAsync(ct);
            await foreach (var _ in changes.Reader.ReadAllAsync(ct))
            {
                if (!await scheduler.PassAsync(ct))
                {
                    // A bind that failed for a passing reason is tried again, even if nothing else changes.
                    await Task.Delay(RetryDelay, time, ct);
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

        void Announce(bool matters)
        {
            if (matters)
            {
                changes.Writer.TryWrite(true);
            }
        }
    }

    /// <summary>False if something must be tried again.</summary>
    private async Task<bool> PassAsync(CancellationToken ct)
    {
        var isDone = true;
        var waiting = _index.Waiting();
        var uids = waiting.Select(pod => pod.Pod.Metadata.Uid).ToHashSet(StringComparer.Ordinal);
        _reported = _reported.Where(pair => uids.Contains(pair.Key)).ToDictionary(StringComparer.Ordinal);

        // Within a pass room only shrinks, so what one pod of a shape did not find, the next one does not find either.
        var refused = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pod in waiting)
        {
            if (pod.IsGated)
            {
                isDone &= await ReportAsync(pod.Pod, "SchedulingGated", GatedMessage, ct);
            }
            else if (refused.TryGetValue(pod.Shape, out var known))
            {
                isDone &= await ReportAsync(pod.Pod, "Unschedulable", known, ct);
            }
            else if (_index.Choose(pod) is var (node, reasons) && node is not null)
            {
                isDone &= await BindAsync(pod, node.Metadata.Name, ct);
            }
            else
            {
                refused[pod.Shape] = Message(reasons);
                isDone &= await ReportAsync(pod.Pod, "Unschedulable", refused[pod.Shape], ct);
            }
        }

        return isDone;
    }

    private async Task<bool> BindAsync(WaitingPod waiting, string node, CancellationToken ct)
    {
        var pod = waiting.Pod;
        try
        {
            await _connection.Pods().PostAsync(pod.Metadata.NamespaceProperty, pod.Metadata.Name, "binding", new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "Binding",
                ["metadata"] = new JsonObject { ["name"] = pod.Metadata.Name, ["namespace"] = pod.Metadata.NamespaceProperty, ["uid"] = pod.Metadata.Uid },
                ["target"] = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Node", ["name"] = node },
            }, ct);
            _index.Assume(waiting, node);
            _reported.Remove(pod.Metadata.Uid);
            LogBound(_logger, pod.Metadata.NamespaceProperty, pod.Metadata.Name, node);
            return true;
        }
        catch (Exception e) when (e is KubernetesApiException or HttpRequestException)
        {
            LogNotBound(_logger, pod.Metadata.NamespaceProperty, pod.Metadata.Name, e.Message);
            return e is KubernetesApiException { IsNotFound: true } or KubernetesApiException { IsConflict: true };
        }
    }

    private static string Message(IReadOnlyList<string> reasons)
    {
        var counted = string.Join(", ", reasons.GroupBy(reason => reason).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => $"{group.Count()} {group.Key}"));
        return $"0/{reasons.Count} nodes are available: {(counted.Length == 0 ? "no node has joined" : counted)}.";
    }

    /// <summary>Sets PodScheduled=False, when it is not what was said before.</summary>
    private async Task<bool> ReportAsync(V1Pod pod, string reason, string message, CancellationToken ct)
    {
        // The own word counts before the pod's copy, which may be behind it.
        var said = pod.Status?.Conditions?.FirstOrDefault(condition => condition.Type == "PodScheduled");
        if ((_reported.GetValueOrDefault(pod.Metadata.Uid) ?? (said?.Reason == reason ? said.Message : null)) == message)
        {
            return true;
        }

        try
        {
            await _connection.Pods().StrategicPatchAsync(pod.Metadata.NamespaceProperty, pod.Metadata.Name, new JsonObject
            {
                ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid },
                ["status"] = new JsonObject
                {
                    ["conditions"] = new JsonArray(new JsonObject
                    {
                        ["type"] = "PodScheduled",
                        ["status"] = "False",
                        ["reason"] = reason,
                        ["message"] = message,
                        ["lastTransitionTime"] = _time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                    }),
                },
            }, Name, "status", ct);
            _reported[pod.Metadata.Uid] = message;
            return true;
        }
        catch (Exception e) when (e is KubernetesApiException or HttpRequestException)
        {
            LogNotReported(_logger, pod.Metadata.NamespaceProperty, pod.Metadata.Name, e.Message);
            return e is KubernetesApiException { IsNotFound: true } or KubernetesApiException { IsConflict: true };
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Bound pod {Namespace}/{Pod} to {Node}.")]
    private static partial void LogBound(ILogger logger, string @namespace, string pod, string node);

    [LoggerMessage(2, LogLevel.Warning, "Pod {Namespace}/{Pod} was not bound: {Problem}.")]
    private static partial void LogNotBound(ILogger logger, string @namespace, string pod, string problem);

    [LoggerMessage(3, LogLevel.Warning, "Pod {Namespace}/{Pod} was not told why it waits: {Problem}.")]
    private static partial void LogNotReported(ILogger logger, string @namespace, string pod, string problem);
}
