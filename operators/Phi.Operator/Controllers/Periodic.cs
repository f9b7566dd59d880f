using Quartz;

namespace Phi.Operator.Controllers;

/// <summary>Work that comes again and again on Quartz, never twice at once.</summary>
internal static class Periodic
{
    private const string Work = "work";

    /// <summary>Runs until cancelled.</summary>
    /// <param name="name">Of the scheduler.</param>
    /// <param name="delay">Until the first time.</param>
    public static async Task RunAsync(string name, TimeSpan delay, TimeSpan interval, Func<CancellationToken, Task> work, TimeProvider time, CancellationToken ct)
    {
        var scheduler = await QuartzSchedulerBuilder.Create(quartz => quartz
            .UseTimeProvider(time)
            .UseInMemoryStore(_ => { })
            .ConfigureScheduler(options => options.InstanceName = $"{name}-{Guid.NewGuid():N}")).BuildScheduler(ct);
        try
        {
            scheduler.Context[Work] = () => work(ct);
            await scheduler.ScheduleJob(
                JobBuilder.Create<WorkJob>().WithIdentity(Work).Build(),
                TriggerBuilder.Create(time).WithIdentity(Work).StartAt(time.GetUtcNow() + delay).WithSimpleSchedule(schedule => schedule.WithInterval(interval).RepeatForever()).Build(),
                new ScheduleJobOptions(),
                ct);
            await scheduler.Start(ct);
            await Task.Delay(Timeout.InfiniteTimeSpan, time, ct);
        }
        finally
        {
            await scheduler.Shutdown(true, CancellationToken.None);
        }
    }

    [DisallowConcurrentExecution]
    internal sealed class WorkJob : IJob
    {
        public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken) => await ((Func<Task>)context.Scheduler.Context[Work]!)();
    }
}
