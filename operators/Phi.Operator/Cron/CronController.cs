using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Phi.Api.CronTrainingJobs;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.Controllers;
using Phi.Operator.Events;
using Phi.Operator.Queue;
using Phi.Reconcile.Cron;

namespace Phi.Operator.Cron;

/// <summary>
/// Creates the jobs of CronTrainingJobs at their times. First the jobs, by names that follow from the due time, then the status: whoever
/// stops in between, or takes over, finds the job there and creates none beside it.
/// </summary>
internal sealed partial class CronController : IController
{
    private readonly KubernetesConnection _connection;
    private readonly EventRecorder _events;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly NamespaceScope _scope;

    /// <summary>Of this term of leadership: timers begin anew with it, so every schedule must be looked at again.</summary>
    private KeyedQueue _queue;
    private CronCache _cache;

    /// <param name="scope">Namespaces whose schedules are this operator's; null: all.</param>
    public CronController(KubernetesConnection connection, EventRecorder events, TimeProvider time, ILogger logger, NamespaceScope? scope = null)
    {
        (_connection, _events, _time, _logger, _scope) = (connection, events, time, logger, scope ?? NamespaceScope.Everywhere);
        (_queue, _cache) = (new KeyedQueue(time), new CronCache(connection, _scope, time, logger));
    }

    public string Name => "crons";

    /// <summary>Of several operators only the leader runs it, though two at once would create no job twice.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        (_queue, _cache) = (new KeyedQueue(_time), new CronCache(_connection, _scope, _time, _logger));
        await using var timers = await CronTimers.StartAsync(_queue.Add, _time, ct);
        var follow = _cache.RunAsync(_queue.Add, _ => { }, stop.Token);
        try
        {
            await await Task.WhenAny(_cache.Synced, follow);
            await await Task.WhenAny(WorkAsync(timers, stop.Token), follow);
        }
        finally
        {
            await stop.CancelAsync();
            await follow.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task WorkAsync(CronTimers timers, CancellationToken ct)
    {
        while (true)
        {
            var key = await _queue.TakeAsync(ct);
            Exception? problem = null;
            try
            {
                await timers.SetAsync(key, await ReconcileAsync(key, ct), ct);
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                problem = e;
                LogFailed(_logger, e is KubernetesApiException or HttpRequestException ? null : e, key, e.Message);
            }

            _queue.Done(key, problem is not null, (problem as KubernetesApiException)?.RetryAfter);
        }
    }

    /// <returns>When to look again; null: when something changes.</returns>
    private async Task<DateTimeOffset?> ReconcileAsync(ResourceKey key, CancellationToken ct)
    {
        await _cache.RefreshAsync(key, ct);
        if (_cache.Observe(key) is not { } snapshot)
        {
            return null;
        }

        var decision = CronReconciler.Decide(snapshot);
        foreach (var action in decision.Actions)
        {
            await ActAsync(key, snapshot, action, ct);
        }

        // A job that was created is told of, even if the status below is not written: the next decision finds it there and is silent.
        if (decision.IsWarning || decision.Reason is not "Scheduled" || decision.Actions.Any(action => action is CronAction.CreateJob))
        {
            _events.Record(EventSubject.Of(snapshot.Cron), decision.IsWarning, decision.Reason, decision.Message);
        }

        await WriteStatusAsync(key, snapshot.Cron, decision.Status, ct);
        return decision.WakeAt;
    }

    private async Task ActAsync(ResourceKey key, CronSnapshot snapshot, CronAction action, CancellationToken ct)
    {
        switch (action)
        {
            case CronAction.DeleteJob delete when await _connection.TrainingJobs().DeleteAsync(key.Namespace, delete.Name, delete.Uid, null, ct):
                _events.Record(EventSubject.Of(snapshot.Cron), false, "Deleted", $"deleted job {delete.Name}: {delete.Why}");
                break;
            case CronAction.CreateJob create:
                try
                {
                    await CreateAsync(key, snapshot.Cron, create.Job, ct);
                }
                catch (KubernetesApiException e) when ((int)e.Code is >= 400 and < 500)
                {
                    var failed = CronReconciler.NotCreated(snapshot, create.Job.Metadata.Name!, e.Message);
                    await WriteStatusAsync(key, snapshot.Cron, failed.Status, ct);
                    _events.Record(EventSubject.Of(snapshot.Cron), failed.IsWarning, failed.Reason, failed.Message);
                    throw;
                }

                break;
        }
    }

    private async Task CreateAsync(ResourceKey key, CronTrainingJob cron, TrainingJob job, CancellationToken ct)
    {
        try
        {
            _cache.Remember(await _connection.TrainingJobs().CreateAsync(key.Namespace, job, PhiNames.OperatorFieldManager, ct));
        }
        catch (KubernetesApiException e) when (e.IsConflict)
        {
            // There already: by an earlier try, unless it is somebody else's.
            if (await _connection.TrainingJobs().GetAsync(key.Namespace, job.Metadata.Name!, ct) is not { } there || !CronTemplate.IsOf(cron, there.Metadata))
            {
                throw;
            }

            _cache.Remember(there);
        }
    }

    private async Task WriteStatusAsync(ResourceKey key, CronTrainingJob cron, CronTrainingJobStatus status, CancellationToken ct)
    {
        if (JsonNode.DeepEquals(Json(cron.Status ?? new CronTrainingJobStatus()), Json(status)))
        {
            return;
        }

        try
        {
            _cache.Remember(key, await _connection.CronTrainingJobs().ApplyAsync(key.Namespace, key.Name, new JsonObject
            {
                ["apiVersion"] = PhiNames.ApiVersion,
                ["kind"] = "CronTrainingJob",
                // What was decided from an older state must not undo what another operator has counted since: it is decided anew.
                ["metadata"] = new JsonObject { ["name"] = key.Name, ["uid"] = cron.Metadata.Uid, ["resourceVersion"] = cron.Metadata.ResourceVersion },
                ["status"] = Json(status),
            }, PhiNames.OperatorFieldManager, "status", ct));
        }
        catch (KubernetesApiException e) when (e.IsNotFound)
        {
            // Deleted meanwhile, and its jobs with it.
        }
    }

    /// <summary>As it comes back from the server: times as text.</summary>
    private static JsonObject Json(CronTrainingJobStatus status) => JsonNode.Parse(JsonSerializer.Serialize(status, PhiJson.Options))!.AsObject();

    [LoggerMessage(1, LogLevel.Warning, "CronTrainingJob {Key} could not be reconciled and is tried again: {Problem}")]
    private static partial void LogFailed(ILogger logger, Exception? exception, ResourceKey key, string problem);
}
