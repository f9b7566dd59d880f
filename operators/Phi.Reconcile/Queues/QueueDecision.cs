using System.Collections.Immutable;

namespace Phi.Reconcile.Queues;

/// <summary>Who gets quota, who must give it back, and why the others wait.</summary>
public sealed class QueueDecision
{
    private readonly QueueSnapshot _snapshot;
    private readonly Verdicts _verdicts;
    private readonly HashSet<string> _granted;

    internal QueueDecision(QueueSnapshot snapshot, ImmutableArray<QueueGrant> grants, ImmutableArray<QueueEviction> evictions, ImmutableArray<QueueUsage> usage, DateTimeOffset? lookAgainAt, Verdicts verdicts)
    {
        (_snapshot, Grants, Evictions, Usage, LookAgainAt, _verdicts) = (snapshot, grants, evictions, usage, lookAgainAt, verdicts);
        _granted = grants.Select(grant => grant.Job.Uid).ToHashSet(StringComparer.Ordinal);
    }

    public ImmutableArray<QueueGrant> Grants { get; }

    /// <summary>Whole gangs.</summary>
    public ImmutableArray<QueueEviction> Evictions { get; }

    /// <summary>By queue and accelerator type, grants included; queues that do not exist have none.</summary>
    public ImmutableArray<QueueUsage> Usage { get; }

    /// <summary>When the decision may change though nothing else does.</summary>
    public DateTimeOffset? LookAgainAt { get; }

    /// <summary>Jobs of a queue that still wait.</summary>
    public int PendingJobs(string queue) => (_snapshot.Pending.TryGetValue(queue, out var jobs) ? jobs.Length : 0) - Grants.Count(grant => grant.Job.Queue == queue);

    /// <summary>Jobs of a queue that hold quota, those being evicted included.</summary>
    public int AdmittedJobs(string queue) => _snapshot.Admitted.Count(job => job.Job.Queue == queue) + Grants.Count(grant => grant.Job.Queue == queue);

    /// <summary>Why each waiting job of a queue waits, in the queue's order; computed as they are taken.</summary>
    public IEnumerable<QueueVerdict> Waiting(string queue)
    {
        if (!_snapshot.Pending.TryGetValue(queue, out var jobs))
        {
            yield break;
        }

        var position = 0;
        for (var index = 0; index < jobs.Length; index++)
        {
            if (!_granted.Contains(jobs[index].Uid))
            {
                yield return _verdicts.Explain(jobs[index], ++position);
            }
        }
    }

    /// <summary>Why one job waits; null if it does not. Its position counts from 1, over the jobs that still wait.</summary>
    public QueueVerdict? Explain(QueuedJob job)
    {
        if (_granted.Contains(job.Uid) || !_snapshot.Pending.TryGetValue(job.Queue, out var jobs) || jobs.BinarySearch(job, JobOrder.Instance) is not (>= 0 and var index))
        {
            return null;
        }

        var ahead = Grants.Count(grant => grant.Job.Queue == job.Queue && JobOrder.Instance.Compare(grant.Job, job) < 0);
        return _verdicts.Explain(jobs[index], index - ahead + 1);
    }
}

/// <param name="Replicas">At least the job's least number of pods, at most what it wants.</param>
public sealed record QueueGrant(QueuedJob Job, int Replicas, string Message);

/// <param name="For">The job that it makes room for.</param>
/// <param name="Reason">InQueue, InCohortReclamation or InCohortReclaimWhileBorrowing.</param>
/// <param name="Deadline">By when the victim has saved and gone.</param>
public sealed record QueueEviction(AdmittedJob Victim, QueuedJob For, string Reason, string Message, DateTimeOffset Deadline);

/// <summary>Accelerators of one type in one queue.</summary>
/// <param name="Borrowed">Of used, what is above nominal.</param>
/// <param name="Lent">Of nominal, what others of the cohort use; who lends is counted by the queues' names.</param>
/// <param name="Reserved">Kept free for the first job that waits.</param>
public sealed record QueueUsage(string Queue, string? Cohort, string AcceleratorType, long Used, long Borrowed, long Lent, long Nominal, long Reserved);

/// <param name="Position">From 1.</param>
/// <param name="Reason">CamelCase word.</param>
/// <param name="WaitsFor">The earliest thing that would admit it.</param>
public sealed record QueueVerdict(QueuedJob Job, int Position, string Reason, string Message, string WaitsFor);
