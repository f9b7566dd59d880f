using Microsoft.Extensions.Logging;
using Phi.Api.TrainingJobs;
using Phi.Operator.Controllers;
using Phi.Operator.Observe;

namespace Phi.Operator.Checkpoints;

/// <summary>Sweeps the checkpoints' root when it comes to lead, and then once an hour.</summary>
/// <param name="root">Null: the operator sees no checkpoints.</param>
internal sealed class CheckpointController(string? root, ClusterCache cluster, TimeProvider time, ILogger logger) : IController
{
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
        await Periodic.RunAsync(
            Name,
            TimeSpan.Zero,
            Interval,
            stop =>
            {
                sweeper.Sweep(stop);
                return Task.CompletedTask;
            },
            time,
            ct);
    }

    private List<string> Busy(string root) =>
        [.. cluster.Jobs.Where(job => !FinishedJob.Is(job) && job.Status?.Phase != TrainingPhase.Suspended)
            .Select(job => cluster.Read(job).Job.Spec.Checkpoint?.Store?.Folder?.Path).OfType<string>().Select(path => Path.Combine(root, path))];
}
