using Phi.Kubernetes;
using Quartz;

namespace Phi.Operator.Cron;

/// <summary>
/// Quartz triggers that wake a CronTrainingJob's reconcile at its next due time. They live in memory and may fire early, twice or after a
/// restart not at all: what is due, the reconcile finds out by itself.
/// </summary>
internal sealed class CronTimers : IAsyncDisposable
{
    private const string WakeKey = "wake";
    private readonly IScheduler _scheduler;
    private readonly TimeProvider _time;

    private CronTimers(IScheduler scheduler, TimeProvider time) => (_scheduler, _time) = (scheduler, time);

    public static async Task<CronTimers> StartAsync(Action<ResourceKey> wake, TimeProvider time, CancellationToken ct)
    {
        var scheduler = await QuartzSchedulerBuilder.Create(quartz => quartz
            .UseTimeProvider(time)
            .UseInMemoryStore(_ => { })
            .ConfigureScheduler(options => options.InstanceName = $"cron-{Guid.NewGuid():N}")).BuildScheduler(ct);
        scheduler.Context[WakeKey] = wake;
        await scheduler.Start(ct);
        return new CronTimers(scheduler, time);
    }

    /// <summary>One trigger per key: a new time replaces the one before, none removes it.</summary>
    public async Task SetAsync(ResourceKey key, DateTimeOffset? at, CancellationToken ct)
    {
        if (at is not { } time)
        {
            await _scheduler.DeleteJob(JobKeyOf(key), ct);
            return;
        }

        var job = JobBuilder.Create<WakeJob>().WithIdentity(JobKeyOf(key)).Build();
        var trigger = TriggerBuilder.Create(_time).WithIdentity(key.Name, key.Namespace).StartAt(time).Build();
        await _scheduler.ScheduleJob(job, trigger, new ScheduleJobOptions { Replace = true }, ct);
    }

    public async ValueTask DisposeAsync() => await _scheduler.Shutdown(true, CancellationToken.None);

    private static JobKey JobKeyOf(ResourceKey key) => new(key.Name, key.Namespace);

    internal sealed class WakeJob : IJob
    {
        public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
        {
            var wake = (Action<ResourceKey>)context.Scheduler.Context[WakeKey]!;
            wake(new ResourceKey(context.JobDetail.Key.Group, context.JobDetail.Key.Name));
            return ValueTask.CompletedTask;
        }
    }
}
