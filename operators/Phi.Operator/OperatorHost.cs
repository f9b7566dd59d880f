using System.Net;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.AgentApi;
using Phi.Operator.Cron;
using Phi.Operator.Execute;
using Phi.Operator.Observe;
using Phi.Operator.Progress;
using Phi.Operator.Queue;
using Phi.Operator.Queues;
using Phi.Reconcile;
using Phi.Telemetry.Store;

namespace Phi.Operator;

/// <summary>Runs the operator: informers fill a queue of jobs, workers observe, decide and execute.</summary>
public sealed partial class OperatorHost
{
    private const int Workers = 4;
    private readonly KeyedQueue _queue;
    private readonly ClusterCache _cluster;
    private readonly Observer _observer;
    private readonly Executor _executor;
    private readonly ProgressTracker _progress;
    private readonly ILogger _logger;

    private OperatorHost(KeyedQueue queue, ClusterCache cluster, Observer observer, Executor executor, ProgressTracker progress, ILogger logger) =>
        (_queue, _cluster, _observer, _executor, _progress, _logger) = (queue, cluster, observer, executor, progress, logger);

    /// <summary>Runs until cancelled. What it stops at, the next start goes on from.</summary>
    public static async Task RunAsync(OperatorOptions options, ILoggerFactory logs, CancellationToken ct)
    {
        var time = TimeProvider.System;
        var logger = logs.CreateLogger<OperatorHost>();
        using var connection = KubernetesConnection.Open(options.Kubeconfig, "phi-operator");
        await using var store = await TelemetryStore.OpenSqliteAsync(options.TelemetryDatabase, ct);
        using var listener = AgentApiServer.Listen(options.AgentApiPort, options.StateDirectory);
        var url = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port}";

        var tokens = AgentTokens.LoadOrCreate(options.StateDirectory);
        var queue = new KeyedQueue(time);
        var cluster = new ClusterCache(connection, time, logs);
        using var hub = new AgentHub(cluster, time);
        using var progress = new ProgressTracker(connection, cluster, store, time, logger);
        var queues = new QueueManager(connection, queue, time, logs);

        // Events would be most of what a simulation writes.
        var executor = new Executor(connection, cluster, tokens, options.SimulateExecution ? null : new EventRecorder(connection, time, logger), url);
        var host = new OperatorHost(queue, cluster, new Observer(cluster, hub, queues, options.SimulateExecution ? SimulatedJobReconciler.Decide : JobReconciler.Decide, time), executor, progress, logger);

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        List<Task> loops = [cluster.RunAsync(OnJob, pod => hub.Forget(pod.Uid()), stop.Token)];
        try
        {
            await Task.WhenAny(cluster.Synced, loops[0]);
            await using var server = await AgentApiServer.StartAsync(listener, hub, tokens, progress, queue.Add, ct);
            LogStarted(logger, url);
            loops.Add(progress.RunAsync(stop.Token));
            loops.Add(CronController.RunAsync(connection, time, logs, stop.Token));
            loops.Add(queues.RunAsync(cluster.Synced, keepsWords: !options.SimulateExecution, stop.Token));
            loops.AddRange(Enumerable.Range(0, Workers).Select(_ => host.WorkAsync(stop.Token)));
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
        }

        void OnJob(ResourceKey key)
        {
            queues.Observe(key, cluster.Job(key));
            queue.Add(key);
        }
    }

    private async Task WorkAsync(CancellationToken ct)
    {
        while (true)
        {
            var key = await _queue.TakeAsync(ct);
            var hasFailed = false;
            try
            {
                if (await ReconcileAsync(key, ct) is { } again)
                {
                    _queue.AddAfter(key, again);
                }
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                hasFailed = true;
                LogFailed(_logger, e is KubernetesApiException or HttpRequestException ? null : e, key, e.Message);
            }

            _queue.Done(key, hasFailed);
        }
    }

    private async Task<TimeSpan?> ReconcileAsync(ResourceKey key, CancellationToken ct)
    {
        // A job that names another controller is that one's.
        if (_cluster.Job(key) is not { } job || job.Spec.ManagedBy is { Length: > 0 } and not PhiNames.Manager)
        {
            return null;
        }

        var (snapshot, decision) = _observer.Decide(job);
        if (decision.Status?.Phase is TrainingPhase.Succeeded or TrainingPhase.Failed or TrainingPhase.Suspended)
        {
            // Whoever waits for the end reads the last step with it.
            await _progress.FlushAsync(key, ct);
        }

        await _executor.ExecuteAsync(job, snapshot.Job, decision, ct);
        return decision.RequeueAfter;
    }

    [LoggerMessage(1, LogLevel.Information, "The operator runs; its agent API is at {Url}.")]
    private static partial void LogStarted(ILogger logger, string url);

    [LoggerMessage(2, LogLevel.Warning, "{Key} could not be reconciled and is tried again: {Problem}")]
    private static partial void LogFailed(ILogger logger, Exception? exception, ResourceKey key, string problem);
}
