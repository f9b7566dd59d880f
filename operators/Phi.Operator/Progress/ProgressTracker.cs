using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.Controllers;
using Phi.Operator.Events;
using Phi.Operator.Metrics;
using Phi.Operator.Observe;
using Phi.Telemetry.Store;

namespace Phi.Operator.Progress;

/// <summary>Stores agents' events and keeps each job's progress, checkpoint and goodput in its status, at most once a second.</summary>
internal sealed partial class ProgressTracker(KubernetesConnection connection, ClusterCache cluster, TelemetryStore store, EventRecorder events, OperatorMetrics metrics, TimeProvider time, ILogger logger) : IController, IDisposable
{
    private static readonly TimeSpan WritePeriod = TimeSpan.FromSeconds(1);
    private readonly Dictionary<ResourceKey, (string Uid, RunProgress Progress)> _runs = [];
    private readonly SemaphoreSlim _lock = new(1);

    public string Name => "progress";

    public void Dispose() => _lock.Dispose();

    /// <summary>Stores a batch for the leader, whichever replica got it.</summary>
    public Task StoreAsync(EventBatch batch, CancellationToken ct) => store.IngestAsync(batch, ct);

    /// <summary>Takes a batch, that is in the store, into its job's progress. Once or twice is the same.</summary>
    public async Task AddAsync(EventBatch batch, CancellationToken ct)
    {
        await _lock.WaitAsync(ct);
        try
        {
            var run = await LoadAsync(new ResourceKey(batch.Namespace, batch.Job), batch.JobUid, ct);
            foreach (var step in batch.Steps)
            {
                if (run.Add(batch.Attempt, step))
                {
                    metrics.Steps.Inc();

                    // The events carry the run's sum; every step of a run takes the same number.
                    metrics.Tokens.Inc(Math.Max(0, step.Metrics.GetValueOrDefault("tokens") / Math.Max(1, step.Step)));
                }
            }

            foreach (var checkpoint in batch.Checkpoints)
            {
                if (run.Add(checkpoint))
                {
                    metrics.Checkpoints.Inc();
                    metrics.CheckpointBytes.Inc(Math.Max(0, checkpoint.Bytes));
                }
            }

            foreach (var missed in batch.Missed)
            {
                if (run.Add(batch.Attempt, missed))
                {
                    metrics.MissedCheckpoints.WithLabels(missed.Reason == MissedCheckpoint.NoTime ? MissedCheckpoint.NoTime : MissedCheckpoint.StorageFailed).Inc();
                    Warn(batch, "CheckpointMissed", $"step {missed.Step} is not saved: {missed.Message}");
                }
            }

            foreach (var skipped in batch.Skipped)
            {
                if (run.Add(batch.Attempt, skipped))
                {
                    metrics.SkippedCheckpoints.Inc();
                    Warn(batch, "CheckpointSkipped", $"attempt {batch.Attempt} does not continue from the checkpoint of step {skipped.Step}, but from the newest good one before: {skipped.Message}");
                }
            }
        }
        finally
        {
            _lock.Release();
        }
    }

    private void Warn(EventBatch batch, string reason, string message) => events.Record(new EventSubject(PhiNames.ApiVersion, "TrainingJob", batch.Namespace, batch.Job, batch.JobUid), true, reason, message);

    /// <summary>Writes what is new until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        await ForgetAsync(ct);
        using var timer = new PeriodicTimer(WritePeriod, time);
        while (await timer.WaitForNextTickAsync(ct))
        {
            List<ResourceKey> due;
            await _lock.WaitAsync(ct);
            try
            {
                due = [.. _runs.Where(run => run.Value.Progress.HasNews).Select(run => run.Key)];
            }
            finally
            {
                _lock.Release();
            }

            foreach (var key in due)
            {
                try
                {
                    await FlushAsync(key, ct);
                }
                catch (Exception e) when (e is KubernetesApiException or HttpRequestException or IOException)
                {
                    LogNotWritten(logger, key, e.Message);
                }
            }
        }
    }

    /// <summary>Writes a job's progress now, if there is any.</summary>
    public async Task FlushAsync(ResourceKey key, CancellationToken ct)
    {
        await _lock.WaitAsync(ct);
        try
        {
            if (cluster.Job(key) is not { Metadata.Uid: { } uid } job)
            {
                _runs.Remove(key);
                return;
            }

            // Of a run that this replica never heard of, another one may have stored events.
            var run = await LoadAsync(key, uid, ct);
            if (!run.HasNews)
            {
                return;
            }

            var status = JsonSerializer.SerializeToNode(run.Describe(job, job.Spec.Phi?.Steps, time.GetUtcNow()), PhiJson.Options);
            cluster.Remember(key, await connection.TrainingJobs().ApplyAsync(key.Namespace, key.Name, new JsonObject
            {
                ["apiVersion"] = PhiNames.ApiVersion,
                ["kind"] = "TrainingJob",
                ["metadata"] = new JsonObject { ["name"] = key.Name, ["uid"] = uid },
                ["status"] = status,
            }, PhiNames.ProgressFieldManager, "status", ct));
            run.MarkWritten();
        }
        finally
        {
            _lock.Release();
        }
    }

    /// <summary>Events that came while another replica led are in the store alone, and are read from there when the first new one comes.</summary>
    private async Task ForgetAsync(CancellationToken ct)
    {
        await _lock.WaitAsync(ct);
        _runs.Clear();
        _lock.Release();
    }

    /// <summary>The run's progress; after a restart of the operator it is read back from the store.</summary>
    private async Task<RunProgress> LoadAsync(ResourceKey key, string uid, CancellationToken ct)
    {
        if (_runs.TryGetValue(key, out var known) && known.Uid == uid)
        {
            return known.Progress;
        }

        var progress = new RunProgress();
        var metrics = new Dictionary<(int Attempt, long Step), (DateTimeOffset Time, Dictionary<string, double> Values)>();
        foreach (var metric in new[] { "step_seconds", "loss", "tokens" })
        {
            foreach (var point in await store.PointsAsync(uid, metric, 0, ct))
            {
                var entry = metrics.TryGetValue((point.Attempt, point.Step), out var there) ? there : metrics[(point.Attempt, point.Step)] = (DateTimeOffset.FromUnixTimeMilliseconds(point.Milliseconds), []);
                entry.Values[metric] = point.Value;
            }
        }

        foreach (var (at, (when, values)) in metrics.OrderBy(entry => entry.Key))
        {
            progress.Add(at.Attempt, new StepEvent { Rank = 0, Step = at.Step, Time = when, Metrics = values });
        }

        foreach (var checkpoint in await store.CheckpointsAsync(uid, ct))
        {
            progress.Add(checkpoint);
        }

        _runs[key] = (uid, progress);
        return progress;
    }

    [LoggerMessage(1, LogLevel.Warning, "The progress of {Key} was not written: {Problem}")]
    private static partial void LogNotWritten(ILogger logger, ResourceKey key, string problem);
}
