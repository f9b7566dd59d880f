using System.Collections.Immutable;

namespace Phi.Reconcile.Queues;

/// <summary>
/// Admits the waiting jobs of one pool. Queues take turns: first jobs within their queue's nominal quota, then those that borrow;
/// among equals by priority and time in the queue.
/// </summary>
internal sealed class PoolScheduler(QuotaPool pool, ImmutableArray<Lane> lanes, IReadOnlyList<AdmittedJob> admitted, HashSet<string> awaiting, DateTimeOffset now)
{
    private readonly Preemption _preemption = new(pool, admitted, now);

    public List<QueueGrant> Grants { get; } = [];

    public List<QueueEviction> Evictions { get; } = [];

    public void Run()
    {
        foreach (var lane in lanes)
        {
            if (awaiting.Count > 0)
            {
                lane.Promise(awaiting);
            }

            lane.Advance();
        }

        while (Next() is { } lane)
        {
            if (awaiting.Contains(lane.Head!.Uid))
            {
                pool.AddLater(lane.Line, -lane.Head.LeastUnits);
            }

            Consider(lane);
            lane.Advance();
        }
    }

    private Lane? Next()
    {
        Lane? best = null;
        foreach (var lane in lanes)
        {
            Skim(lane);
            if (lane.Head is not null && (best is null || IsBefore(lane, best)))
            {
                best = lane;
            }
        }

        return best;
    }

    /// <summary>Jobs that have no chance must not hide, by their place in the order, those behind them that are within the nominal quota.</summary>
    private void Skim(Lane lane)
    {
        var line = lane.Line;
        while (line.Queue.Order == QueueOrder.BestEffortFifo && lane is { Head: { } job, MayMakeRoom: false } && !awaiting.Contains(job.Uid) && Replicas(job, line) < job.MinReplicas && pool.AvailableLater(line) < job.LeastUnits)
        {
            if (_preemption.CanMakeRoom(job, line))
            {
                lane.MayMakeRoom = true;
                return;
            }

            lane.Refuse();
            lane.Advance();
        }
    }

    private static bool IsBefore(Lane one, Lane other) =>
        IsBorrowing(one) != IsBorrowing(other) ? IsBorrowing(other) : JobOrder.Instance.Compare(one.Head, other.Head) < 0;

    /// <summary>What is being given back makes nobody a borrower: an owner whose own job leaves is still before those that borrow from it.</summary>
    private static bool IsBorrowing(Lane lane) => lane.Line.Now - lane.Line.Leaving + lane.Head!.LeastUnits > lane.Line.Quota.Nominal;

    /// <summary>
    /// Pods of the head that fit. What is promised to those that evictions make room for is nobody else's, free as it may be now. Pods
    /// beyond the least do not borrow: their owner would take the whole gang back with them.
    /// </summary>
    private int Replicas(QueuedJob job, QuotaLine line)
    {
        var fit = Math.Min(pool.AvailableNow(line), pool.AvailableLater(line)) / job.PerReplica;
        var wanted = Math.Clamp((line.Quota.Nominal - line.Now) / job.PerReplica, job.MinReplicas, job.Replicas);
        return (int)Math.Clamp(fit, 0, wanted);
    }

    private void Consider(Lane lane)
    {
        var (job, line) = (lane.Head!, lane.Line);
        var (free, later, replicas) = (pool.AvailableNow(line), pool.AvailableLater(line), Replicas(job, line));
        if (replicas >= job.MinReplicas)
        {
            var units = (long)replicas * job.PerReplica;
            pool.AddNow(line, units);
            pool.AddLater(line, units);
            line.Used += units;
            Grants.Add(new QueueGrant(job, replicas, Granted(job, line, replicas)));
        }
        else if (later >= job.LeastUnits || _preemption.MakeRoom(job, line, Evictions))
        {
            lane.Hold(free, fitsLater: true);
            pool.AddLater(line, job.LeastUnits);
        }
        else if (line.Queue.Order == QueueOrder.StrictFifo)
        {
            lane.Hold(free, fitsLater: false);
            pool.AddLater(line, Math.Clamp(later, 0, job.LeastUnits));
        }
        else
        {
            lane.Refuse();
        }
    }

    private static string Granted(QueuedJob job, QuotaLine line, int replicas)
    {
        var borrowed = Math.Max(0, Math.Min((long)replicas * job.PerReplica, line.Used - line.Quota.Nominal));
        return $"{replicas} of {job.Replicas} pods have {(long)replicas * job.PerReplica} {job.AcceleratorType} accelerators of queue {job.Queue}'s quota{(borrowed > 0 ? $", {borrowed} of them borrowed from cohort {line.Queue.Cohort}" : "")}; the queue uses {line.Used} of {line.Quota.Nominal}";
    }
}
