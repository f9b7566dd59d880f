using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.Execute;
using Phi.Operator.Health;
using Phi.Operator.Metrics;
using Phi.Operator.Observe;
using Phi.Operator.Progress;
using Phi.Operator.Queue;
using Phi.Operator.Tracing;
using Phi.Reconcile.Decisions;

namespace Phi.Operator.Controllers;

/// <summary>Training jobs: a queue of those that something happened to, and workers that observe, decide and execute.</summary>
internal sealed partial class JobController(ClusterCache cluster, Observer observer, Executor executor, ProgressTracker progress, OperatorMetrics metrics, TimeProvider time, ILogger logger) : IController
{
    private const int Workers = 4;

    /// <summary>Longer than the largest gang's writes take against a slow API server.</summary>
    private static readonly TimeSpan LongestReconcile = TimeSpan.FromMinutes(10);
    private readonly WorkQueueMetrics _queueMetrics = new(metrics, "jobs");
    private KeyedQueue? _queue;

    public string Name => "jobs";

    /// <summary>One a worker.</summary>
    public IReadOnlyList<Pulse> Pulses { get; } = [.. Enumerable.Range(0, Workers).Select(index => new Pulse($"job worker {index}", LongestReconcile, time))];

    /// <summary>Something happened to the job. While this replica does not lead nothing is kept: the next leader looks at every job.</summary>
    public void Add(ResourceKey key) => Add(key, isUrgent: false);

    /// <param name="isUrgent">Whether it is looked at before the jobs for which that was not said.</param>
    public void Add(ResourceKey key, bool isUrgent) => Volatile.Read(ref _queue)?.Add(key, isUrgent);

    public async Task RunAsync(CancellationToken ct)
    {
        var queue = new KeyedQueue(time, _queueMetrics);
        Volatile.Write(ref _queue, queue);
        try
        {
            foreach (var job in cluster.Jobs)
            {
                queue.Add(new ResourceKey(job.Metadata.Namespace!, job.Metadata.Name!));
            }

            await Task.WhenAll(Pulses.Select(pulse => WorkAsync(queue, pulse, ct)));
        }
        finally
        {
            Volatile.Write(ref _queue, null);
        }
    }

    private async Task WorkAsync(KeyedQueue queue, Pulse pulse, CancellationToken ct)
    {
        while (true)
        {
            var key = await queue.TakeAsync(ct);
            pulse.Beat();
            var (start, problem) = (time.GetTimestamp(), default(Exception));
            var reason = "Gone";
            try
            {
                if (await ReconcileAsync(key, ct) is { } decision)
                {
                    reason = decision.Reason;
                    if (decision.RequeueAfter is { } again)
                    {
                        queue.AddAfter(key, again);
                    }
                }
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                (problem, reason) = (e, ErrorClass.Of(e));
                LogFailed(logger, e is KubernetesApiException or HttpRequestException ? null : e, key, e.Message);
            }
            finally
            {
                pulse.Rest();
            }

            metrics.Reconciled(Name, problem is null, reason, time.GetElapsedTime(start));
            queue.Done(key, problem is not null, (problem as KubernetesApiException)?.RetryAfter);
        }
    }

    /// <summary>Null if there is nothing to decide about.</summary>
    private async Task<JobDecision?> ReconcileAsync(ResourceKey key, CancellationToken ct)
    {
        if (cluster.Job(key) is not { } job)
        {
            executor.Forget(key);
            return null;
        }

        // A job that names another controller is that one's.
        if (job.Spec.ManagedBy is { Length: > 0 } and not PhiNames.Manager)
        {
            return null;
        }

        if (FinishedJob.Is(job))
        {
            if (await cluster.ReadFinishedAsync(job, ct) is not { } whole)
            {
                return null;
            }

            job = whole;
        }

        using var span = OperatorTracing.Source.StartActivity("reconcile");
        span?.SetTag("phi.job", key.ToString()).SetTag("phi.attempt", job.Status?.Attempt ?? 0);
        try
        {
            var (snapshot, decision) = observer.Decide(job);
            span?.SetTag("phi.reason", decision.Reason);
            using var executing = OperatorTracing.Source.StartActivity("execute");
            if (decision.Status is { Phase: TrainingPhase.Succeeded or TrainingPhase.Failed or TrainingPhase.Suspended } status && status.Phase != job.Status?.Phase)
            {
                // Whoever waits for the end reads the last step with it.
                await progress.FlushAsync(key, ct);
            }

            return await executor.ExecuteAsync(job, snapshot.Job, decision, ct) is { } later ? decision with { RequeueAfter = later } : decision;
        }
        catch (Exception e)
        {
            span?.SetStatus(ActivityStatusCode.Error, e.Message);
            throw;
        }
    }

    [LoggerMessage(2, LogLevel.Warning, "{Key} could not be reconciled and is tried again: {Problem}")]
    private static partial void LogFailed(ILogger logger, Exception? exception, ResourceKey key, string problem);
}
