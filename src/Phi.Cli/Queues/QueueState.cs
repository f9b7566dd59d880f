using k8s.Models;
using Phi.Api.TrainingJobs;
using Phi.Api.TrainingQueues;
using Phi.Cli.Cluster;
using Phi.Kubernetes;
using Phi.Reconcile.Queues;

namespace Phi.Cli.Queues;

/// <summary>Queues and jobs as the API server has them now, and what the operator would decide on them. Changes nothing.</summary>
internal sealed class QueueState
{
    private QueueState(IReadOnlyList<TrainingJob> jobs, IReadOnlyDictionary<string, int> priorities, QueueSnapshot snapshot) =>
        (Jobs, Priorities, Snapshot, Decision) = (jobs, priorities, snapshot, QueueReconciler.Decide(snapshot));

    public IReadOnlyList<TrainingJob> Jobs { get; }

    /// <summary>Values of the priority classes by name.</summary>
    public IReadOnlyDictionary<string, int> Priorities { get; }

    public QueueSnapshot Snapshot { get; }

    public QueueDecision Decision { get; }

    /// <param name="kubeconfig">Null: that of the local control plane in <paramref name="home"/>.</param>
    /// <exception cref="CliException">The kubeconfig cannot be used, or the API server does not answer or refuses.</exception>
    public static Task<QueueState> ReadAsync(string? kubeconfig, string? home, TimeProvider time, CancellationToken ct) => ClusterConnection.UseAsync(kubeconfig, home, async connection =>
    {
        var queues = await ListAsync(connection.TrainingQueues(), ct);
        var classes = await ListAsync(connection.PriorityClasses(), ct);
        return Of(queues, classes.ToDictionary(one => one.Metadata.Name, one => one.Value ?? 0, StringComparer.Ordinal), await ListAsync(connection.TrainingJobs(), ct), time.GetUtcNow());
    });

    public static QueueState Of(IEnumerable<TrainingQueue> queues, IReadOnlyDictionary<string, int> priorities, IReadOnlyList<TrainingJob> jobs, DateTimeOffset now)
    {
        var pending = new List<QueuedJob>();
        var admitted = new List<AdmittedJob>();
        foreach (var job in jobs)
        {
            if (InitializeSource.IsAwaited(job) || QueueReader.Job(job, priorities) is not { } queued)
            {
                continue;
            }

            if (QueueReader.Admitted(job, queued) is { } held)
            {
                admitted.Add(held);
            }
            else if (job.Spec.Suspend != true)
            {
                pending.Add(queued);
            }
        }

        return new QueueState(jobs, priorities, QueueSnapshot.Create(queues.Select(QueueReader.Queue), pending, admitted, now));
    }

    /// <summary>Usage of a queue and of the others of its cohort.</summary>
    public IReadOnlyList<QueueUsage> UsageAround(string queue)
    {
        var cohort = Snapshot.Queues.FirstOrDefault(one => one.Name == queue)?.Cohort;
        return [.. Decision.Usage.Where(usage => usage.Queue == queue || (cohort is not null && usage.Cohort == cohort))];
    }

    private static async Task<IReadOnlyList<T>> ListAsync<T>(ResourceClient<T> client, CancellationToken ct)
    {
        var (items, _) = await client.ListAsync(null, null, ct);
        return [.. items.Select(ResourceJson.Parse<T>)];
    }
}
