using Phi.Cli.Cluster;
using Phi.Kubernetes;
using Phi.Reconcile.Queues;

namespace Phi.Cli.Queues;

/// <summary>Queues and jobs as the API server has them now.</summary>
internal static class QueueReading
{
    public static async Task<QueueState> ReadAsync(ClusterSession session, TimeProvider time, CancellationToken ct)
    {
        var queues = await ListAsync(session.Connection.TrainingQueues(), ct);
        var classes = await ListAsync(session.Connection.PriorityClasses(), ct);
        return QueueState.Of(queues, classes.ToDictionary(one => one.Metadata.Name, one => one.Value ?? 0, StringComparer.Ordinal), await ListAsync(session.Connection.TrainingJobs(), ct), time.GetUtcNow());
    }

    private static async Task<IReadOnlyList<T>> ListAsync<T>(ResourceClient<T> client, CancellationToken ct)
    {
        var (items, _) = await client.ListAsync(null, null, ResourceJson.Parse<T>, ct);
        return items;
    }
}
