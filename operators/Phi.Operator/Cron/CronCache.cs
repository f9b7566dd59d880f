using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Phi.Api.CronTrainingJobs;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.Observe;
using Phi.Reconcile.Cron;

namespace Phi.Operator.Cron;

/// <summary>CronTrainingJobs and their jobs as the informers have them, with the controller's own newest status on top.</summary>
internal sealed class CronCache(KubernetesConnection connection, TimeProvider time, ILogger logger)
{
    private readonly Informer<CronTrainingJob> _crons = new(connection.CronTrainingJobs(), null, null, time, logger);
    private readonly Informer<TrainingJob> _jobs = new(connection.TrainingJobs(), null, $"&labelSelector={Uri.EscapeDataString(PhiNames.CronNameLabel)}", time, logger);
    private readonly ConcurrentDictionary<ResourceKey, CronTrainingJob> _written = new();

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
        _jobs.RunAsync((key, old, now) => onCron(new ResourceKey(key.Namespace, (now ?? old)!.Metadata.Labels![PhiNames.CronNameLabel])), ct));

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
            Jobs = [.. _jobs.All.Where(job => job.Metadata.Namespace == key.Namespace && CronTemplate.IsOf(cron, job.Metadata))],
            Now = time.GetUtcNow(),
        };
    }

    public void Remember(ResourceKey key, CronTrainingJob written) => _written[key] = written;

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
