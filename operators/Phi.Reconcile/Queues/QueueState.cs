using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Api.TrainingQueues;

namespace Phi.Reconcile.Queues;

/// <summary>Queues and jobs as the API server has them now, and what the operator would decide on them. Changes nothing.</summary>
public sealed class QueueState
{
    private QueueState(IReadOnlyList<TrainingJob> jobs, IReadOnlyDictionary<string, int> priorities, QueueSnapshot snapshot) =>
        (Jobs, Priorities, Snapshot, Decision) = (jobs, priorities, snapshot, QueueReconciler.Decide(snapshot));

    public IReadOnlyList<TrainingJob> Jobs { get; }

    /// <summary>Values of the priority classes by name.</summary>
    public IReadOnlyDictionary<string, int> Priorities { get; }

    public QueueSnapshot Snapshot { get; }

    public QueueDecision Decision { get; }

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

    /// <summary>A manifest's job as if it were applied now; one of its name keeps its place in the queue. Null: it names no queue.</summary>
    public QueuedJob? Hypothetical(string @namespace, string name, TrainingJobSpec spec)
    {
        var existing = Jobs.FirstOrDefault(one => one.Metadata.Name == name && one.Metadata.Namespace == @namespace);
        return QueueReader.Job(
            new TrainingJob
            {
                Metadata = new ObjectMeta { Name = name, Namespace = @namespace, Uid = existing?.Metadata.Uid ?? "what-if", CreationTimestamp = existing?.Metadata.CreationTimestamp ?? Snapshot.Now },
                Spec = spec,
            },
            Priorities);
    }

    /// <summary>Usage of a queue and of the others of its cohort.</summary>
    public IReadOnlyList<QueueUsage> UsageAround(string queue)
    {
        var cohort = Snapshot.Queues.FirstOrDefault(one => one.Name == queue)?.Cohort;
        return [.. Decision.Usage.Where(usage => usage.Queue == queue || (cohort is not null && usage.Cohort == cohort))];
    }
}
