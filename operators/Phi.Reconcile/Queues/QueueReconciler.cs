using System.Collections.Immutable;

namespace Phi.Reconcile.Queues;

/// <summary>Which waiting jobs get quota, and which running ones must give it back: a function of the snapshot, of nothing else.</summary>
public static class QueueReconciler
{
    public static QueueDecision Decide(QueueSnapshot snapshot)
    {
        var queues = new Dictionary<string, QueuePolicy>(StringComparer.Ordinal);
        foreach (var queue in snapshot.Queues)
        {
            queues[queue.Name] = queue;
        }

        var grants = ImmutableArray.CreateBuilder<QueueGrant>();
        var evictions = ImmutableArray.CreateBuilder<QueueEviction>();
        var usage = ImmutableArray.CreateBuilder<QueueUsage>();
        var lanes = new Dictionary<(string, string), (QuotaPool, Lane, IReadOnlyList<AdmittedJob>)>();
        foreach (var rounds in Pools(snapshot, queues))
        {
            var pool = rounds.Settle();
            grants.AddRange(rounds.Grants);
            evictions.AddRange(rounds.Evictions);
            usage.AddRange(Usage(pool));
            foreach (var lane in rounds.Lanes)
            {
                lanes[(lane.Line.Queue.Name, pool.AcceleratorType)] = (pool, lane, rounds.Admitted);
            }
        }

        usage.Sort((one, other) => string.CompareOrdinal(one.Queue, other.Queue) is not 0 and var order ? order : string.CompareOrdinal(one.AcceleratorType, other.AcceleratorType));
        var verdicts = new Verdicts(snapshot, queues, lanes);
        return new QueueDecision(snapshot, grants.ToImmutable(), evictions.ToImmutable(), usage.ToImmutable(), LookAgainAt(snapshot), verdicts);
    }

    /// <summary>Pools do not touch each other: one for each cohort, or queue without one, and accelerator type.</summary>
    private static IEnumerable<PoolRounds> Pools(QueueSnapshot snapshot, Dictionary<string, QueuePolicy> queues)
    {
        var quotas = new Dictionary<(string Queue, string Type), (QueuePolicy Queue, TypeQuota Quota, bool IsDeclared)>();
        foreach (var queue in queues.Values.Where(queue => queue.Problem is null))
        {
            foreach (var quota in queue.Quotas)
            {
                quotas[(queue.Name, quota.AcceleratorType)] = (queue, quota, true);
            }
        }

        var admitted = new Dictionary<(string Cohort, string Queue, string Type), List<AdmittedJob>>();
        foreach (var job in snapshot.Admitted)
        {
            // Jobs of a queue that is gone, or wrong, go on outside all quotas.
            if (queues.TryGetValue(job.Job.Queue, out var queue) && queue.Problem is null)
            {
                quotas.TryAdd((job.Job.Queue, job.Job.AcceleratorType), (queue, new TypeQuota(job.Job.AcceleratorType, 0), false));
                var pool = PoolOf(queue, job.Job.AcceleratorType);
                (admitted.TryGetValue(pool, out var jobs) ? jobs : admitted[pool] = []).Add(job);
            }
        }

        return quotas.GroupBy(entry => PoolOf(entry.Value.Queue, entry.Key.Type), entry => entry.Value)
            .OrderBy(group => group.Key.Cohort, StringComparer.Ordinal).ThenBy(group => group.Key.Queue, StringComparer.Ordinal).ThenBy(group => group.Key.Type, StringComparer.Ordinal)
            .Select(group => new PoolRounds(snapshot, group.Key.Type, [.. group.OrderBy(entry => entry.Queue.Name, StringComparer.Ordinal)], admitted.GetValueOrDefault(group.Key) ?? []));
    }

    private static (string Cohort, string Queue, string Type) PoolOf(QueuePolicy queue, string type) => queue.Cohort is { } cohort ? (cohort, "", type) : ("", queue.Name, type);

    private static IEnumerable<QueueUsage> Usage(QuotaPool pool)
    {
        var borrowed = pool.Lines.Sum(line => Math.Max(0, line.Used - line.Quota.Nominal));
        foreach (var line in pool.Lines)
        {
            var lendable = Math.Max(0, Math.Min(line.Quota.Nominal - line.Guaranteed, line.Quota.Nominal - line.Used));
            var lent = line.Queue.Cohort is null ? 0 : Math.Min(borrowed, lendable);
            borrowed -= lent;
            yield return new QueueUsage(line.Queue.Name, line.Queue.Cohort, pool.AcceleratorType, line.Used, Math.Max(0, line.Used - line.Quota.Nominal), lent, line.Quota.Nominal, line.Kept);
        }
    }

    private static DateTimeOffset? LookAgainAt(QueueSnapshot snapshot) => snapshot.Delayed.Select(job => job.NotBefore).Where(at => at > snapshot.Now).Min();
}
