using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.Queues;

namespace Phi.Operator.Observe;

/// <summary>
/// Reads every job as the API server has it when this replica begins to lead. Its watch may be behind what the leader before it wrote last:
/// quota that was given away would look free, and pods that were placed would seem to have no quota.
/// </summary>
internal sealed partial class JobCatchUp(KubernetesConnection connection, NamespaceScope scope, ClusterCache cluster, QueueManager queues, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    /// <summary>Returns once nothing that was written before is unknown.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (true)
        {
            try
            {
                var jobs = await scope.ListAsync(connection.TrainingJobs(), Read, ct);
                foreach (var job in jobs.OfType<TrainingJob>())
                {
                    var key = new ResourceKey(job.Metadata.Namespace!, job.Metadata.Name!);
                    cluster.CatchUp(key, job);
                    queues.Observe(key, job);
                }

                return;
            }
            catch (Exception e) when (e is HttpRequestException or IOException or KubernetesApiException || (e is OperationCanceledException && !ct.IsCancellationRequested))
            {
                LogNotListed(logger, e.Message, Retry.TotalSeconds);
                await Task.Delay(Retry, time, ct);
            }
        }
    }

    /// <returns>Null: it cannot be read, which the informer has said.</returns>
    private static TrainingJob? Read(JsonObject item)
    {
        try
        {
            return ResourceJson.Parse<TrainingJob>(item);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The jobs could not be listed, so nothing is decided yet: {Problem}. Trying again in {Seconds} s.")]
    private static partial void LogNotListed(ILogger logger, string problem, double seconds);
}
