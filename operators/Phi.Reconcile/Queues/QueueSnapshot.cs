using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Phi.Reconcile.Queues;

/// <summary>Everything that the admission of jobs depends on, the time included.</summary>
public sealed record QueueSnapshot
{
    public required ImmutableArray<QueuePolicy> Queues { get; init; }

    /// <summary>Waiting jobs by the name of their queue, each list in <see cref="JobOrder"/>; the queue need not exist.</summary>
    public required IReadOnlyDictionary<string, ImmutableArray<QueuedJob>> Pending { get; init; }

    public required ImmutableArray<AdmittedJob> Admitted { get; init; }

    /// <summary>Those of the waiting jobs that have a <see cref="QueuedJob.NotBefore"/>.</summary>
    public IEnumerable<QueuedJob> Delayed { get => field ?? Pending.Values.SelectMany(jobs => jobs).Where(job => job.NotBefore is not null); init; }

    public required DateTimeOffset Now { get; init; }

    /// <summary>From jobs in any order.</summary>
    public static QueueSnapshot Create(IEnumerable<QueuePolicy> queues, IEnumerable<QueuedJob> pending, IEnumerable<AdmittedJob> admitted, DateTimeOffset now) => new()
    {
        Queues = [.. queues],
        Pending = pending.GroupBy(job => job.Queue, StringComparer.Ordinal).ToFrozenDictionary(group => group.Key, group => group.Order(JobOrder.Instance).ToImmutableArray(), StringComparer.Ordinal),
        Admitted = [.. admitted],
        Now = now,
    };
}
