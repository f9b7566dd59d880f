using Microsoft.Extensions.Logging;
using Phi.Api.TrainingJobs;
using Phi.Operator.Controllers;
using Phi.Operator.Observe;
using Quartz;

namespace Phi.Operator.Checkpoints;

/// <summary>Sweeps the checkpoints' root when it comes to lead, and then once an hour.</summary>
/// <param name="root">Null: the operator sees no checkpoints.</param>
internal sealed class CheckpointController(string? root, ClusterCache cluster, TimeProvider time, ILogger logger) : IController
{
    private const string SweepKey = "sweep";
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    public string Name => "checkpoints";

    public async Task RunAsync(CancellationToken ct)
    {
        await cluster.Synced.WaitAsync(ct);
        if (root is null)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, ct);
            return;
        }

        var sweeper = new CheckpointSweeper(root, () => Busy(root), logger);
        var scheduler = await QuartzSchedulerBuilder.Create(quartz => quartz
            .UseTimeProvider(time)
            .UseInMemoryStore(_ => { })
            .ConfigureScheduler(options => options.InstanceName = $"checkpoints-{Guid.NewGuid():N}")).BuildScheduler(ct);
        try
        {
            scheduler.Context[SweepKey] = () => sweeper.Sweep(ct);
            await scheduler.ScheduleJob(
                JobBuilder.Create<SweepJob>().WithIdentity(SweepKey).Build(),
                TriggerBuilder.Create(time).WithIdentity(SweepKey).StartNow().WithSimpleSchedule(schedule => schedule.WithInterval(Interval).RepeatForever()).Build(),
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

    private List<string> Busy(string root) =>
        [.. cluster.Jobs.Where(job => !FinishedJob.Is(job) && job.Status?.Phase != TrainingPhase.Suspended)
            .Select(job => cluster.Read(job).Job.Spec.Checkpoint?.Store?.Folder?.Path).OfType<string>().Select(path => Path.Combine(root, path))];

    [DisallowConcurrentExecution]
    internal sealed class SweepJob : IJob
    {
        public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
        {
            ((Action)context.Scheduler.Context[SweepKey]!)();
            return ValueTask.CompletedTask;
        }
    }
}
