namespace Phi.Reconcile.Queues;

/// <summary>
/// Finds the jobs whose eviction makes room for another: lowest priority first, then least work lost since the last committed
/// checkpoint, then latest admitted; never more than needed. Rules as Kueue's
/// (https://kueue.sigs.k8s.io/docs/concepts/cluster_queue/#preemption): whoever reclaims what others borrow must not borrow itself,
/// unless its victims have lower priority.
/// </summary>
internal sealed class Preemption(QuotaPool pool, IReadOnlyList<AdmittedJob> admitted, DateTimeOffset now)
{
    private List<(AdmittedJob Job, QuotaLine Line)>? _order;

    /// <summary>Names the victims and takes their quota out of <see cref="QuotaLine.Later"/>; false: there is no way, and nothing has changed.</summary>
    public bool MakeRoom(QueuedJob job, QuotaLine line, List<QueueEviction> evictions)
    {
        if (Victims(job, line) is not { } victims)
        {
            return false;
        }

        _order!.RemoveAll(victims.Contains);
        foreach (var (victim, _) in victims)
        {
            var isBorrowing = line.Later + job.LeastUnits > line.Quota.Nominal;
            var reason = victim.Job.Queue == job.Queue ? "InQueue" : isBorrowing ? "InCohortReclaimWhileBorrowing" : "InCohortReclamation";
            evictions.Add(new QueueEviction(victim, job, reason, Message(victim, job, line), now + line.Queue.CheckpointDeadline));
        }

        return true;
    }

    /// <summary>Whether <see cref="MakeRoom"/> would; changes nothing.</summary>
    public bool CanMakeRoom(QueuedJob job, QuotaLine line)
    {
        var victims = Victims(job, line);
        victims?.ForEach(one => Move(one.Line, one.Job.Units));
        return victims is not null;
    }

    private List<(AdmittedJob Job, QuotaLine Line)>? Victims(QueuedJob job, QuotaLine line)
    {
        var (policy, within) = (line.Queue, line.Queue.PreemptsLowerPriority);
        var victims = Find(job, line, mayBorrow: false, (victim, at) => at == line
            ? within && victim.Job.Priority < job.Priority
            : IsBorrowing(at) && (policy.Reclaim == ReclaimPolicy.Any || (policy.Reclaim == ReclaimPolicy.LowerPriority && victim.Job.Priority < job.Priority)));

        // Where quota is reclaimed whatever the priority, a job within the nominal quota that had to leave for one that borrows would
        // take it back from a third, and so on in a circle.
        return victims ?? Find(job, line, mayBorrow: true, (victim, at) => victim.Job.Priority < job.Priority && (at == line
            ? within && (policy.Reclaim != ReclaimPolicy.Any || IsBorrowing(at))
            : policy.Reclaim != ReclaimPolicy.Never && IsBorrowing(at)));
    }

    /// <summary>Null if not even all candidates suffice. What is found stays taken out.</summary>
    private List<(AdmittedJob Job, QuotaLine Line)>? Find(QueuedJob job, QuotaLine line, bool mayBorrow, Func<AdmittedJob, QuotaLine, bool> isCandidate)
    {
        var taken = new List<(AdmittedJob Job, QuotaLine Line)>();
        foreach (var (candidate, at) in _order ??= Order())
        {
            if (Fits())
            {
                break;
            }

            if (isCandidate(candidate, at))
            {
                Move(at, -candidate.Units);
                taken.Add((candidate, at));
            }
        }

        if (!Fits())
        {
            taken.ForEach(one => Move(one.Line, one.Job.Units));
            return null;
        }

        // The last one was needed; of those before, whoever the later ones made superfluous stays.
        for (var i = taken.Count - 2; i >= 0; i--)
        {
            Move(taken[i].Line, taken[i].Job.Units);
            if (Fits())
            {
                taken.RemoveAt(i);
            }
            else
            {
                Move(taken[i].Line, -taken[i].Job.Units);
            }
        }

        return taken;

        bool Fits() => pool.AvailableLater(line) >= job.LeastUnits && (mayBorrow || line.Later + job.LeastUnits <= line.Quota.Nominal);
    }

    /// <summary>Only what is borrowed can be reclaimed: a queue that is back within its nominal quota has nothing more to give.</summary>
    private static bool IsBorrowing(QuotaLine line) => line.Staying > line.Quota.Nominal;

    private void Move(QuotaLine line, long units)
    {
        pool.AddLater(line, units);
        line.Staying += units;
    }

    private List<(AdmittedJob Job, QuotaLine Line)> Order() =>
    [
        .. admitted.Where(job => !job.IsEvicting)
            .OrderBy(job => job.Job.Priority).ThenBy(job => job.WorkAtRisk(now)).ThenByDescending(job => job.AdmittedAt).ThenBy(job => job.Job.Uid, StringComparer.Ordinal)
            .Select(job => (job, pool.Line(job.Job.Queue))),
    ];

    private static string Message(AdmittedJob victim, QueuedJob job, QuotaLine line) => victim.Job.Queue == job.Queue
        ? $"{job.Key} of priority {job.Priority} needs {job.LeastUnits} {job.AcceleratorType} accelerators of queue {job.Queue}; this job of priority {victim.Job.Priority} gives back its {victim.Units}"
        : $"queue {job.Queue} takes back {job.LeastUnits} {job.AcceleratorType} accelerators for {job.Key} of priority {job.Priority} from cohort {line.Queue.Cohort}; this job of priority {victim.Job.Priority} holds {victim.Units} in queue {victim.Job.Queue}, which borrows";
}
