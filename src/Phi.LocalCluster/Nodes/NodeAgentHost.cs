using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Phi.Kubernetes;

namespace Phi.LocalCluster.Nodes;

/// <summary>A node whose pods are processes of this machine. It joins any API server, as a kubelet does.</summary>
public sealed partial class NodeAgentHost
{
    private static readonly TimeSpan MaximumShutdownGrace = TimeSpan.FromSeconds(30);
    private readonly NodeAgentOptions _options;
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly ILogger _logger;
    private readonly KubernetesConnection _connection;
    private readonly PodStatusWriter _status;
    private readonly PodEnvironment _environment;
    private readonly PodVolumes _volumes;
    private readonly ConcurrentDictionary<string, (PodWorker Worker, Task Task)> _workers = new(StringComparer.Ordinal);
    private readonly string _pods;
    private IReadOnlySet<string> _strays = new HashSet<string>();

    private NodeAgentHost(NodeAgentOptions options, ILoggerFactory logs, KubernetesConnection connection)
    {
        _options = options;
        _connection = connection;
        _logger = logs.CreateLogger<NodeAgentHost>();
        _status = new PodStatusWriter(connection, options.Name, _time, _logger);
        _environment = new PodEnvironment(connection, options);
        _volumes = new PodVolumes(connection, options);
        _pods = Path.Combine(options.StateDirectory, "pods");
    }

    /// <summary>Runs until cancelled; then ends every pod within its grace period and reports it.</summary>
    public static async Task RunAsync(NodeAgentOptions options, ILoggerFactory logs, CancellationToken ct)
    {
        using var connection = KubernetesConnection.Open(options.Kubeconfig, "phi-node");
        await new NodeAgentHost(options, logs, connection).RunAsync(ct);
    }

    private async Task RunAsync(CancellationToken ct)
    {
        Directory.CreateDirectory(_pods);
        _strays = PodFolder.EndStrays(_pods);
        await using var logs = await LogServer.StartAsync(FindLog, _connection.Token, _connection.CertificateAuthority, _options.StateDirectory, ct);
        var registration = new NodeRegistration(_connection, _options, _time, _logger);
        var informer = new Informer<V1Pod>(_connection.Pods(), null, $"&fieldSelector=spec.nodeName%3D{_options.Name}", _time, _logger);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var loops = new[] { registration.RunAsync(logs.Port, stop.Token), informer.RunAsync((_, old, now) => OnPod(old, now), stop.Token) };
        try
        {
            await Task.WhenAny(loops);
            ct.ThrowIfCancellationRequested();
            await await Task.WhenAny(loops);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The end that was asked for.
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            using var deadline = new CancellationTokenSource(MaximumShutdownGrace + TimeSpan.FromSeconds(10));
            await registration.StopAsync(deadline.Token);
            await EndAllAsync(deadline.Token);
        }
    }

    private void OnPod(V1Pod? old, V1Pod? now)
    {
        var pod = now ?? old!;
        var uid = pod.Metadata.Uid;
        if (old is not null && now is not null && old.Metadata.Uid != uid)
        {
            OnPod(old, null);
        }

        if (now is null)
        {
            if (_workers.TryRemove(uid, out var gone))
            {
                gone.Worker.End(PodEnd.Vanished, TimeSpan.Zero);
                _ = gone.Task.ContinueWith(_ => Forget(uid, gone.Worker), TaskScheduler.Default);
            }
            else
            {
                new PodFolder(_pods, uid).Delete();
            }

            return;
        }

        if (!_workers.TryGetValue(uid, out var running))
        {
            running = Adopt(now);
        }

        running.Worker.Update(now);
        EndIfDeleted(running.Worker, now);
    }

    private static void EndIfDeleted(PodWorker worker, V1Pod pod)
    {
        if (pod.Metadata.DeletionTimestamp is not null)
        {
            worker.End(PodEnd.Deleted, TimeSpan.FromSeconds(pod.Metadata.DeletionGracePeriodSeconds ?? pod.Spec.TerminationGracePeriodSeconds ?? 30));
        }
    }

    private void Forget(string uid, PodWorker worker)
    {
        new PodFolder(_pods, uid).Delete();
        _status.Forget(uid);
        worker.Dispose();
    }

    /// <summary>A pod that this agent meets for the first time: a new one, one that has ended, or one whose processes went with an earlier agent.</summary>
    private (PodWorker Worker, Task Task) Adopt(V1Pod pod)
    {
        var uid = pod.Metadata.Uid;
        var worker = new PodWorker(pod, ChooseIp(uid), new PodFolder(_pods, uid), _environment, _volumes, _status, _time, _logger);
        EndIfDeleted(worker, pod);
        var isLost = pod.Status?.Phase == "Running" || (_strays.Contains(uid) && pod.Status?.Phase is not ("Succeeded" or "Failed"));
        var task = pod switch
        {
            { Status.Phase: "Succeeded" or "Failed" } => worker.RemoveWhenDeletedAsync(CancellationToken.None),
            _ when isLost => LoseAsync(worker),
            _ => worker.RunAsync(CancellationToken.None),
        };
        return _workers[uid] = (worker, Observe(task, pod));
    }

    private async Task LoseAsync(PodWorker worker)
    {
        var pod = worker.Pod;
        LogLost(_logger, pod.Metadata.NamespaceProperty, pod.Metadata.Name);
        var containers = pod.Spec.Containers.Select(container => new ContainerState(container.Name, container.Image ?? "", pod.Status?.StartTime, 137, _time.GetUtcNow(), null)).ToList();
        var report = new PodReport
        {
            Phase = "Failed",
            PodIp = pod.Status?.PodIP,
            StartedAt = pod.Status?.StartTime,
            Containers = containers,
            Reason = "NodeAgentRestarted",
            Message = "The node agent went away and took the pod's processes with it.",
            Disruption = "TerminationByKubelet",
        };
        await _status.WriteAsync(pod, report, CancellationToken.None);
        await worker.RemoveWhenDeletedAsync(CancellationToken.None);
    }

    private async Task Observe(Task task, V1Pod pod)
    {
        try
        {
            await task;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogFailed(_logger, e, pod.Metadata.NamespaceProperty, pod.Metadata.Name);
        }
    }

    /// <summary>Any address in 127/8 can be bound without configuration, so every pod has its own and all can use the same port.</summary>
    private string ChooseIp(string uid)
    {
        for (var salt = 0; ; salt++)
        {
            var hash = BitConverter.ToUInt32(SHA256.HashData(Encoding.UTF8.GetBytes($"{uid}/{salt}")));
            var ip = $"127.{1 + hash % 254}.{(hash >> 8) % 256}.{1 + (hash >> 16) % 254}";
            if (_workers.Values.All(other => other.Worker.PodIp != ip))
            {
                return ip;
            }
        }
    }

    private async Task EndAllAsync(CancellationToken ct)
    {
        foreach (var (worker, _) in _workers.Values)
        {
            var grace = TimeSpan.FromSeconds(worker.Pod.Spec.TerminationGracePeriodSeconds ?? 30);
            worker.End(PodEnd.NodeShutdown, grace < MaximumShutdownGrace ? grace : MaximumShutdownGrace);
        }

        try
        {
            await Task.WhenAll(_workers.Values.Select(entry => entry.Task)).WaitAsync(ct);
        }
        catch (OperationCanceledException)
        {
            LogUnreported(_logger, _options.Name);
        }
    }

    private (string Path, bool IsLive)? FindLog(string @namespace, string name, string container)
    {
        foreach (var (worker, task) in _workers.Values)
        {
            if (worker.Pod.Metadata.NamespaceProperty == @namespace && worker.Pod.Metadata.Name == name)
            {
                return (new PodFolder(_pods, worker.Pod.Metadata.Uid).Log(container), !task.IsCompleted && worker.IsLive(container));
            }
        }

        return null;
    }

    [LoggerMessage(1, LogLevel.Warning, "Pod {Namespace}/{Pod} was running when the node agent went away; it has failed.")]
    private static partial void LogLost(ILogger logger, string @namespace, string pod);

    [LoggerMessage(2, LogLevel.Error, "Pod {Namespace}/{Pod} could not be handled.")]
    private static partial void LogFailed(ILogger logger, Exception problem, string @namespace, string pod);

    [LoggerMessage(3, LogLevel.Warning, "Node {Node} stopped before every pod's end was reported.")]
    private static partial void LogUnreported(ILogger logger, string node);
}
