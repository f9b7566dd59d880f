using Phi.Api.TrainingJobs;
using Phi.Cli.Cluster;
using Phi.Kubernetes;

namespace Phi.Cli.Jobs;

/// <summary>Follows one job until it is as somebody waits for it to be.</summary>
internal sealed class JobFollower(ClusterSession session, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    /// <param name="onChange">Hears of the job as it is, and as it becomes.</param>
    /// <returns>The job as it was waited for; null: it was deleted.</returns>
    /// <exception cref="CliException">The API server has not answered for a minute.</exception>
    public async Task<TrainingJob?> UntilAsync(JobName job, Predicate<TrainingJob> isDone, Action<TrainingJob> onChange, CancellationToken ct)
    {
        long? away = null;
        while (true)
        {
            try
            {
                var (isOver, last) = await WatchAsync(job, isDone, onChange, () => away = null, ct);
                if (isOver)
                {
                    return last;
                }
            }
            catch (Exception e) when (e is HttpRequestException or IOException || e is KubernetesApiException { Code: System.Net.HttpStatusCode.Gone or >= System.Net.HttpStatusCode.InternalServerError or System.Net.HttpStatusCode.TooManyRequests })
            {
                // A control plane that is away for a while (a restart) does not end the wait.
                away ??= time.GetTimestamp();
                if (time.GetElapsedTime(away.Value) > Patience)
                {
                    throw new CliException($"the API server of {session.Target.Source} has not answered for {Patience.TotalSeconds:0} s: {e.Message}; the job goes on without this", ExitCodes.ControlPlaneUnavailable);
                }

                await Task.Delay(Retry, time, ct);
            }
        }
    }

    /// <returns>False: the server ended the watch, as it does after some minutes.</returns>
    private async Task<(bool IsOver, TrainingJob? Job)> WatchAsync(JobName job, Predicate<TrainingJob> isDone, Action<TrainingJob> onChange, Action onAnswer, CancellationToken ct)
    {
        var (client, selector) = (session.Connection.TrainingJobs(), $"&fieldSelector=metadata.name%3D{Uri.EscapeDataString(job.Name)}");
        var (items, version) = await client.ListAsync(job.Namespace, selector, ResourceJson.Parse<TrainingJob>, ct);
        onAnswer();
        if (items is not [var now])
        {
            return (true, null);
        }

        onChange(now);
        if (isDone(now))
        {
            return (true, now);
        }

        await foreach (var change in client.WatchAsync(job.Namespace, selector, version, ct))
        {
            if (change.Type == "DELETED")
            {
                return (true, null);
            }

            if (change.Type != "BOOKMARK" && change.Parse<TrainingJob>() is var next)
            {
                onChange(next);
                if (isDone(next))
                {
                    return (true, next);
                }
            }
        }

        return (false, null);
    }
}
