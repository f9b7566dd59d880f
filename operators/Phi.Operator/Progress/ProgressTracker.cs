using System.Data.Common;
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

    /// <summary>At most so much of the ledger is computed anew from points after a restart.</summary>
    private static readonly TimeSpan SavePeriod = TimeSpan.FromSeconds(5);

    /// <summary>By the job's uid.</summary>
    private readonly Dictionary<string, (ResourceKey Key, RunProgress Progress)> _runs = [];
    private readonly ProgressStore _ledger = new(store);
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
            foreach (var step in batch.Steps.OrderBy(step => step.Step))
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

            foreach (var evaluation in batch.Evaluations)
            {
                if (run.Add(batch.Attempt, evaluation))
                {
                    // That a newer checkpoint is evaluated instead is nothing to mend.
                    Say(batch, evaluation.Reason is not (null or EvaluationEvent.Overtaken), evaluation.Reason is null ? "Evaluated" : "NotEvaluated", Evaluations.Tell(evaluation));
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

    private void Warn(EventBatch batch, string reason, string message) => Say(batch, true, reason, message);

    private void Say(EventBatch batch, bool isWarning, string reason, string message) =>
        events.Record(new EventSubject(PhiNames.ApiVersion, "TrainingJob", batch.Namespace, batch.Job, batch.JobUid), isWarning, reason, message);

    /// <summary>Writes what is new until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        await ForgetAsync(ct);
        var saved = time.GetTimestamp();
        using var timer = new PeriodicTimer(WritePeriod, time);
        while (await timer.WaitForNextTickAsync(ct))
        {
            foreach (var key in await DueAsync(ct))
            {
                try
                {
                    await WriteAsync(key, ct);
                }
                catch (Exception e) when (e is KubernetesApiException or HttpRequestException or IOException || IsOfStore(e))
                {
                    LogNotWritten(logger, key, e.Message);
                }
            }

            if (time.GetElapsedTime(saved) >= SavePeriod)
            {
                await SaveAsync(ct);
                saved = time.GetTimestamp();
            }
        }
    }

    /// <summary>Writes the progress of a job that trains no more, if there is any, and what it was spent on to the ledger.</summary>
    public async Task FlushAsync(ResourceKey key, CancellationToken ct)
    {
        await WriteAsync(key, ct);
        await _lock.WaitAsync(ct);
        try
        {
            // What still comes of it finds it in the ledger: jobs that are over take no memory.
            foreach (var (uid, (_, progress)) in _runs.Where(run => run.Value.Key == key).ToList())
            {
                if (await TrySaveAsync([progress], ct) && !progress.HasNews)
                {
                    _runs.Remove(uid);
                }
            }
        }
        finally
        {
            _lock.Release();
        }
    }

    private async Task<List<ResourceKey>> DueAsync(CancellationToken ct)
    {
        await _lock.WaitAsync(ct);
        try
        {
            return [.. _runs.Values.Where(run => run.Progress.HasNews).Select(run => run.Key).Distinct()];
        }
        finally
        {
            _lock.Release();
        }
    }

    private async Task WriteAsync(ResourceKey key, CancellationToken ct)
    {
        await _lock.WaitAsync(ct);
        try
        {
            if (cluster.Job(key) is not { Metadata.Uid: { } uid } job)
            {
                return;
            }

            // Of a run that this replica never heard of, another one may have stored events.
            var run = await LoadAsync(key, uid, ct);
            if (!run.HasNews)
            {
                return;
            }

            await SettleAsync(run, ct);
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

    private async Task SaveAsync(CancellationToken ct)
    {
        await _lock.WaitAsync(ct);
        try
        {
            await TrySaveAsync([.. _runs.Values.Select(run => run.Progress)], ct);
            foreach (var uid in _runs.Where(run => cluster.Job(run.Value.Key)?.Metadata.Uid != run.Key).Select(run => run.Key).ToList())
            {
                _runs.Remove(uid);
            }
        }
        finally
        {
            _lock.Release();
        }
    }

    /// <summary>A store that is away holds no job up: the figures are then those of the events alone, and the ledger is written later.</summary>
    private async Task<bool> TrySaveAsync(IReadOnlyList<RunProgress> runs, CancellationToken ct)
    {
        try
        {
            var unsaved = runs.Where(run => run.Attempts.Any(account => account.HasNews || account.IsInDoubt)).ToList();
            foreach (var run in unsaved)
            {
                await SettleAsync(run, ct);
            }

            await _ledger.SaveAsync(unsaved, ct);
            return !unsaved.Exists(run => run.Attempts.Any(account => account.HasNews || account.IsInDoubt));
        }
        catch (Exception e) when (IsOfStore(e))
        {
            LogNotSaved(logger, e.Message);
            return false;
        }
    }

    private async Task SettleAsync(RunProgress run, CancellationToken ct)
    {
        try
        {
            var late = await _ledger.SettleAsync(run, ct);
            metrics.Steps.Inc(late.Steps);
            metrics.Tokens.Inc(late.Steps * Math.Max(0, run.Tokens ?? 0) / Math.Max(1, run.Step));
            metrics.Checkpoints.Inc(late.Checkpoints);
            metrics.CheckpointBytes.Inc(late.CheckpointBytes);
        }
        catch (Exception e) when (IsOfStore(e))
        {
            LogNotSaved(logger, e.Message);
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
        if (_runs.TryGetValue(uid, out var known))
        {
            return known.Progress;
        }

        var progress = await _ledger.LoadAsync(uid, ct);
        _runs[uid] = (key, progress);
        return progress;
    }

    private static bool IsOfStore(Exception e) => e is DbException or IOException or TimeoutException or InvalidOperationException { InnerException: DbException };

    [LoggerMessage(1, LogLevel.Warning, "The progress of {Key} was not written: {Problem}")]
    private static partial void LogNotWritten(ILogger logger, ResourceKey key, string problem);

    [LoggerMessage(2, LogLevel.Warning, "The goodput of runs is not in the telemetry store yet: {Problem}")]
    private static partial void LogNotSaved(ILogger logger, string problem);
}
