using System.Collections.Immutable;

namespace Phi.Reconcile.Queues;

/// <summary>What would become of one job if it were there as given.</summary>
/// <param name="Grant">Null: it would wait.</param>
/// <param name="Evictions">That would be begun to make room for it.</param>
/// <param name="Waits">Null: it would be admitted.</param>
public sealed record QueueWhatIf(QueueGrant? Grant, ImmutableArray<QueueEviction> Evictions, QueueVerdict? Waits)
{
    /// <summary>Adds the job, or puts it in the place of the one of its name, and decides.</summary>
    public static QueueWhatIf Of(QueueSnapshot snapshot, QueuedJob job)
    {
        var changed = QueueSnapshot.Create(
            snapshot.Queues, snapshot.Pending.Values.SelectMany(jobs => jobs).Where(one => one.Key != job.Key).Append(job), snapshot.Admitted.Where(one => one.Job.Key != job.Key), snapshot.Now);
        var decision = QueueReconciler.Decide(changed);
        return new QueueWhatIf(
            decision.Grants.FirstOrDefault(grant => grant.Job.Key == job.Key), [.. decision.Evictions.Where(eviction => eviction.For.Key == job.Key)], decision.Explain(job));
    }
}
