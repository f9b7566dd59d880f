namespace Phi.Reconcile.Queues;

/// <summary>One queue's account of one accelerator type, in units of one accelerator.</summary>
internal sealed class QuotaLine
{
    public QuotaLine(QueuePolicy queue, TypeQuota quota, bool isDeclared)
    {
        (Queue, Quota, IsDeclared) = (queue, quota, isDeclared);

        // What nobody can borrow: all of it without a cohort.
        Guaranteed = queue.Cohort is null ? quota.Nominal : quota.LendingLimit is { } lendable ? Math.Max(0, quota.Nominal - lendable) : 0;
    }

    public QueuePolicy Queue { get; }

    public TypeQuota Quota { get; }

    /// <summary>False: the queue has no quota of the type, but jobs that hold some.</summary>
    public bool IsDeclared { get; }

    public long Guaranteed { get; }

    /// <summary>By jobs that hold quota, those being evicted included, and what is kept for jobs that wait.</summary>
    public long Now { get; set; }

    /// <summary>The same once every eviction is over and those that it was for have what they need.</summary>
    public long Later { get; set; }

    /// <summary>By jobs that hold quota alone.</summary>
    public long Used { get; set; }

    /// <summary>Of <see cref="Now"/>, what jobs hold that are being evicted.</summary>
    public long Leaving { get; set; }

    /// <summary>By jobs that held quota before and are not asked to leave: what is granted meanwhile makes nobody a borrower to be reclaimed from.</summary>
    public long Staying { get; set; }

    /// <summary>Of <see cref="Now"/>, what is kept for the first job that waits.</summary>
    public long Kept { get; set; }

    public QuotaLine Copy() => new(Queue, Quota, IsDeclared) { Now = Now, Later = Later, Used = Used, Leaving = Leaving, Staying = Staying, Kept = Kept };
}
