using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Phi.Api.CronTrainingJobs;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.Observe;
using Phi.Reconcile.Cron;

namespace Phi.Operator.Cron;

/// <summary>CronTrainingJobs and their jobs as the informers have them, with what the controller itself has written on top.</summary>
/// <param name="scope">Namespaces whose schedules are this operator's.</param>
internal sealed class CronCache(KubernetesConnection connection, NamespaceScope scope, TimeProvider time, ILogger logger)
{
    private readonly ScopedInformer<CronTrainingJob> _crons = new(scope, connection.CronTrainingJobs(), null, time, logger);
    private readonly ScopedInformer<TrainingJob> _jobs = new(scope, connection.TrainingJobs(), $"&labelSelector={Uri.EscapeDataString(PhiNames.CronNameLabel)}", time, logger);
    private readonly ConcurrentDictionary<ResourceKey, CronTrainingJob> _written = new();

    /// <summary>Runs that were created and that the informer has not shown.</summary>
    private readonly ConcurrentDictionary<ResourceKey, TrainingJob> _created = new();

    public Task Synced => Task.WhenAll(_crons.Synced, _jobs.Synced);

    public Task RunAsync(Action<ResourceKey> onCron, Action<string> onGone, CancellationToken ct) => Task.WhenAll(
        _crons.RunAsync((key, old, now) =>
        {
            if (now is null)
            {
                onGone(old!.Metadata.Uid!);
            }

            onCron(key);
        }, ct),
        _jobs.RunAsync((key, old, now) =>
        {
            _created.TryRemove(key, out _);
            onCron(new ResourceKey(key.Namespace, (now ?? old)!.Metadata.Labels![PhiNames.CronNameLabel]));
        }, ct));

    /// <summary>The snapshot to decide on; null if there is none of that name.</summary>
    public CronSnapshot? Observe(ResourceKey key)
    {
        if (Cron(key) is not { } cron)
        {
            return null;
        }

        var errors = CronTrainingJobValidator.Validate(cron);
        return new CronSnapshot
        {
            Cron = cron,
            Errors = [.. errors],
            Calendar = errors.Count == 0 && CronSchedule.TryParse(cron.Spec.Schedule!, out var schedule, out _) ? new CronCalendar(schedule, CronTrainingJobValidator.Zone(cron.Spec.TimeZone)!) : null,
            Jobs = [.. _jobs.All.Concat(_created.Where(entry => !IsShown(entry.Key, entry.Value)).Select(entry => entry.Value)).Where(job => job.Metadata.Namespace == key.Namespace && CronTemplate.IsOf(cron, job.Metadata))],
            Now = time.GetUtcNow(),
        };
    }

    public void Remember(ResourceKey key, CronTrainingJob written) => _written[key] = written;

    /// <summary>A run counts from its creation on, however late the informer is.</summary>
    public void Remember(TrainingJob created) => _created[KeyOf(created)] = created;

    /// <summary>Asks the API server for runs that the informer has not shown: one may have ended, or be gone.</summary>
    public async Task RefreshAsync(ResourceKey cron, CancellationToken ct)
    {
        foreach (var (key, job) in _created.Where(entry => new ResourceKey(entry.Key.Namespace, entry.Value.Metadata.Labels![PhiNames.CronNameLabel]) == cron).ToList())
        {
            if (IsShown(key, job) || await connection.TrainingJobs().GetAsync(key.Namespace, key.Name, ct) is not { } now || now.Metadata.Uid != job.Metadata.Uid)
            {
                _created.TryRemove(key, out _);
            }
            else
            {
                _created[key] = now;
            }
        }
    }

    private bool IsShown(ResourceKey key, TrainingJob job) => _jobs.Get(key)?.Metadata.Uid == job.Metadata.Uid;

    private static ResourceKey KeyOf(TrainingJob job) => new(job.Metadata.Namespace!, job.Metadata.Name!);

    private CronTrainingJob? Cron(ResourceKey key)
    {
        var cached = _crons.Get(key);
        if (!_written.TryGetValue(key, out var written))
        {
            return cached;
        }

        if (cached is null || cached.Metadata.Uid != written.Metadata.Uid || ClusterCache.Version(cached.Metadata.ResourceVersion) >= ClusterCache.Version(written.Metadata.ResourceVersion))
        {
            _written.TryRemove(key, out _);
            return cached;
        }

        return written;
    }
}
