using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.Observe;
using Phi.Telemetry.Store;

namespace Phi.Operator.Progress;

/// <summary>Stores agents' events and keeps each job's progress, checkpoint and goodput in its status, at most once a second.</summary>
internal sealed partial class ProgressTracker(KubernetesConnection connection, ClusterCache cluster, TelemetryStore store, TimeProvider time, ILogger logger) : IDisposable
{
    private static readonly TimeSpan WritePeriod = TimeSpan.FromSeconds(1);
    private readonly Dictionary<ResourceKey, (string Uid, RunProgress Progress)> _runs = [];
    private readonly SemaphoreSlim _lock = new(1);

    public void Dispose() => _lock.Dispose();

    public async Task AddAsync(EventBatch batch, CancellationToken ct)
    {
        await store.IngestAsync(batch, ct);
        await _lock.WaitAsync(ct);
        try
        {
            var run = await LoadAsync(new ResourceKey(batch.Namespace, batch.Job), batch.JobUid, ct);
            foreach (var step in batch.Steps)
            {
                run.Add(batch.Attempt, step);
            }

            foreach (var checkpoint in batch.Checkpoints)
            {
                run.Add(checkpoint);
            }
        }
        finally
        {
            _lock.Release();
        }
    }

    /// <summary>Writes what is new until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
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
            if (cluster.Job(key) is not { } job || !_runs.TryGetValue(key, out var run))
            {
                _runs.Remove(key);
                return;
            }

            if (run.Uid != job.Metadata.Uid || !run.Progress.HasNews)
            {
                return;
            }

            var status = JsonSerializer.SerializeToNode(run.Progress.Describe(job, job.Spec.Phi?.Steps, time.GetUtcNow()), PhiJson.Options);
            cluster.Remember(key, await connection.TrainingJobs().ApplyAsync(key.Namespace, key.Name, new JsonObject
            {
                ["apiVersion"] = PhiNames.ApiVersion,
                ["kind"] = "TrainingJob",
                ["metadata"] = new JsonObject { ["name"] = key.Name, ["uid"] = run.Uid },
                ["status"] = status,
            }, PhiNames.ProgressFieldManager, "status", ct));
            run.Progress.MarkWritten();
        }
        finally
        {
            _lock.Release();
        }
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
