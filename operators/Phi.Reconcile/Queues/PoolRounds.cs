using System.Collections.Immutable;

namespace Phi.Reconcile.Queues;

/// <summary>
/// Decides on one pool until deciding again would change nothing. Victims may free more than was asked for. A grant that borrows may
/// stand in the way of an owner whose job is looked at only later; such a grant is taken back before anybody has heard of it. A round
/// knows what the next decision will be told, and no more: so where a round comes to nothing, the next decision does too.
/// </summary>
internal sealed class PoolRounds(QueueSnapshot snapshot, string acceleratorType, ImmutableArray<(QueuePolicy Queue, TypeQuota Quota, bool IsDeclared)> quotas, List<AdmittedJob> admitted)
{
    /// <summary>More than two are rare; what a last round leaves over, the next decision takes up.</summary>
    private const int MostRounds = 32;
    private readonly Dictionary<string, QueueGrant> _grants = new(StringComparer.Ordinal);
    private readonly HashSet<string> _awaiting = admitted.Select(job => job.EvictedFor).OfType<string>().ToHashSet(StringComparer.Ordinal);

    public IEnumerable<QueueGrant> Grants => _grants.Values;

    public List<QueueEviction> Evictions { get; } = [];

    public ImmutableArray<Lane> Lanes { get; private set; } = [];

    /// <summary>Jobs that hold quota, grants of this decision included.</summary>
    public List<AdmittedJob> Admitted { get; } = [.. admitted];

    /// <summary>The pool as the last round left it.</summary>
    public QuotaPool Settle()
    {
        for (var round = 1; ; round++)
        {
            var pool = new QuotaPool(acceleratorType, Open());
            Lanes = [.. pool.Lines.Select(line => new Lane(pool, line, snapshot.Pending.TryGetValue(line.Queue.Name, out var pending) ? pending : [], _grants, snapshot.Now))];
            var scheduler = new PoolScheduler(pool, Lanes, Admitted, _awaiting, snapshot.Now);
            scheduler.Run();
            Take(scheduler);
            if (scheduler is { Grants.Count: 0, Evictions.Count: 0 } || round == MostRounds)
            {
                return pool;
            }
        }
    }

    private List<QuotaLine> Open()
    {
        var lines = quotas.Select(entry => new QuotaLine(entry.Queue, entry.Quota, entry.IsDeclared)).ToList();
        var byQueue = lines.ToDictionary(line => line.Queue.Name, StringComparer.Ordinal);
        foreach (var job in Admitted)
        {
            var line = byQueue[job.Job.Queue];
            line.Used += job.Units;
            line.Now += job.Units;
            line.Later += job.IsEvicting ? 0 : job.Units;
            line.Leaving += job.IsEvicting ? job.Units : 0;
            line.Staying = line.Later;
        }

        return lines;
    }

    private void Take(PoolScheduler scheduler)
    {
        foreach (var eviction in scheduler.Evictions)
        {
            var at = Admitted.IndexOf(eviction.Victim);
            if (_grants.Remove(eviction.Victim.Job.Uid))
            {
                // Its room is free at once: there is nothing to wait for.
                Admitted.RemoveAt(at);
            }
            else
            {
                _awaiting.Add(eviction.For.Uid);
                Admitted[at] = eviction.Victim with { IsEvicting = true, EvictedFor = eviction.For.Uid };
                Evictions.Add(eviction);
            }
        }

        foreach (var grant in scheduler.Grants)
        {
            _grants.Add(grant.Job.Uid, grant);
            Admitted.Add(new AdmittedJob { Job = grant.Job, Replicas = grant.Replicas, AdmittedAt = snapshot.Now });
        }
    }
}
