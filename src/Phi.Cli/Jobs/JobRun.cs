using Phi.Api.TrainingJobs;
using Phi.Cli.Cluster;
using Phi.Cli.Output;

namespace Phi.Cli.Jobs;

/// <summary>Applies one manifest and follows its job until it is finished, or saved and suspended after an interrupt.</summary>
/// <param name="cluster">The control plane, whose API server answers; its dashboard may still be starting, which the job need not wait for.</param>
public sealed class JobRun(JobClient client, ManifestFile file, Task<ClusterState> cluster, ProgressDisplay display, TimeProvider time)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan SuspendDeadline = TimeSpan.FromSeconds(60);
    private bool _hasToldWhere;

    public async Task<TrainingJob> FollowAsync(CancellationToken interrupt)
    {
        try
        {
            await SubmitAsync(interrupt);
            return await UntilAsync(IsFinished, interrupt);
        }
        catch (OperationCanceledException) when (interrupt.IsCancellationRequested)
        {
            return await SuspendAsync();
        }
        finally
        {
            display.End();
        }
    }

    private async Task SubmitAsync(CancellationToken cancellationToken)
    {
        if (await client.GetAsync(file.Job, cancellationToken) is { } existing && (IsFinished(existing) || existing.Metadata.DeletionTimestamp is not null))
        {
            await Console.Error.WriteLineAsync($"Replacing the finished job {file.Job} ({existing.Status?.Phase}); its checkpoints stay.");
            await client.DeleteAsync(file.Job, cancellationToken);
            while (await client.GetAsync(file.Job, cancellationToken) is not null)
            {
                await Task.Delay(Poll, time, cancellationToken);
            }
        }

        var job = await client.ApplyAsync(file.Job, file.Manifest, cancellationToken);
        if (job.Spec.Suspend == true && file.Manifest["spec"]?["suspend"] is null)
        {
            await client.SuspendAsync(file.Job, suspend: false, cancellationToken);
        }
    }

    /// <summary>Once the dashboard is there; an interrupt may have come before that.</summary>
    private async Task TellWhereAsync()
    {
        if (_hasToldWhere || !cluster.IsCompleted || cluster.IsCanceled)
        {
            return;
        }

        _hasToldWhere = true;
        var root = new Uri((await cluster).DashboardUrl);
        display.End();
        await Console.Error.WriteLineAsync($"Job {file.Job}: {new Uri(root, $"/jobs/{file.Job.Namespace}/{file.Job.Name}{root.Query}")}");
    }

    private async Task<TrainingJob> UntilAsync(Predicate<TrainingJob> done, CancellationToken cancellationToken)
    {
        while (true)
        {
            await TellWhereAsync();
            var job = await GetThroughOutagesAsync(cancellationToken)
                ?? throw new CliException($"the job {file.Job} was deleted while it was followed.", ExitCodes.JobDeleted);
            display.Show(job);
            if (done(job))
            {
                return job;
            }

            await Task.Delay(Poll, time, cancellationToken);
        }
    }

    /// <summary>A control plane that is away for a while (a restart) does not end the run.</summary>
    private async Task<TrainingJob?> GetThroughOutagesAsync(CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        while (true)
        {
            try
            {
                return await client.GetAsync(file.Job, cancellationToken);
            }
            catch (HttpRequestException e)
            {
                if (time.GetElapsedTime(since) > TimeSpan.FromSeconds(60))
                {
                    throw new CliException($"the API server has not answered for 60 s: {e.Message}. The job goes on when it is back: `phi up`.", ExitCodes.ControlPlaneUnavailable);
                }

                await Task.Delay(Poll, time, cancellationToken);
            }
        }
    }

    private async Task<TrainingJob> SuspendAsync()
    {
        display.End();
        await Console.Error.WriteLineAsync("Interrupted: saving a checkpoint…");
        using var deadline = new CancellationTokenSource(SuspendDeadline, time);
        if (await client.GetAsync(file.Job, deadline.Token) is null)
        {
            return new TrainingJob();
        }

        await client.SuspendAsync(file.Job, suspend: true, deadline.Token);
        try
        {
            return await UntilAsync(job => IsFinished(job) || job.Status?.Phase == TrainingPhase.Suspended, deadline.Token);
        }
        catch (OperationCanceledException)
        {
            throw new CliException($"the job {file.Job} did not save and stop within {SuspendDeadline.TotalSeconds:0} s; it is marked suspended and will. See `kubectl describe tj {file.Job.Name}`.", ExitCodes.Interrupted);
        }
    }

    private static bool IsFinished(TrainingJob job) => job.Status?.Phase is TrainingPhase.Succeeded or TrainingPhase.Failed;
}
