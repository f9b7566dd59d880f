using Phi.Cli.Cluster;
using Phi.Kubernetes;
using Phi.Reconcile.Queues;

namespace Phi.Cli.Queues;

/// <summary>Queues and jobs as the API server has them now.</summary>
internal static class QueueReading
{
    /// <param name="kubeconfig">Null: that of the local control plane in <paramref name="home"/>.</param>
    /// <exception cref="CliException">The kubeconfig cannot be used, or the API server does not answer or refuses.</exception>
    public static Task<QueueState> ReadAsync(string? kubeconfig, string? home, TimeProvider time, CancellationToken ct) => ClusterConnection.UseAsync(kubeconfig, home, async connection =>
    {
        var queues = await ListAsync(connection.TrainingQueues(), ct);
        var classes = await ListAsync(connection.PriorityClasses(), ct);
        return QueueState.Of(queues, classes.ToDictionary(one => one.Metadata.Name, one => one.Value ?? 0, StringComparer.Ordinal), await ListAsync(connection.TrainingJobs(), ct), time.GetUtcNow());
    });

    private static async Task<IReadOnlyList<T>> ListAsync<T>(ResourceClient<T> client, CancellationToken ct)
    {
        var (items, _) = await client.ListAsync(null, null, ResourceJson.Parse<T>, ct);
        return items;
    }
}
