using System.Collections.Immutable;

namespace Phi.Reconcile.Queues;

/// <summary>The waiting jobs of one queue that want one accelerator type, in the queue's order, and how far they have been considered.</summary>
internal sealed class Lane(QuotaPool pool, QuotaLine line, ImmutableArray<QueuedJob> pending, IReadOnlyDictionary<string, QueueGrant> granted, DateTimeOffset now)
{
    private int _next;
    private long _refused = long.MaxValue;

    public QuotaLine Line => line;

    /// <summary>Null: every job has been considered, or the rest must wait for <see cref="Holder"/>.</summary>
    public QueuedJob? Head { get; private set; }

    /// <summary>Evictions could make room for the head, as was found when it was first looked at.</summary>
    public bool MayMakeRoom { get; set; }

    /// <summary>The job that quota is kept for.</summary>
    public QueuedJob? Holder { get; private set; }

    /// <summary>What was available to the holder, of which all is kept.</summary>
    public long AvailableToHolder { get; private set; }

    /// <summary>Evictions under way will make room for the holder.</summary>
    public bool HolderFitsLater { get; private set; }

    /// <summary>What evictions under way free for jobs of this lane is theirs alone, whoever is before them: part of <see cref="QuotaLine.Later"/>.</summary>
    public void Promise(HashSet<string> awaiting)
    {
        foreach (var job in pending)
        {
            if (awaiting.Contains(job.Uid) && !granted.ContainsKey(job.Uid) && string.Equals(job.AcceleratorType, pool.AcceleratorType, StringComparison.Ordinal))
            {
                pool.AddLater(line, job.LeastUnits);
            }
        }
    }

    /// <summary>Finds the next job that could be admitted at some time and is not to be refused without a look.</summary>
    public void Advance()
    {
        (Head, MayMakeRoom) = (null, false);
        if (Holder is not null)
        {
            return;
        }

        for (; _next < pending.Length; _next++)
        {
            var job = pending[_next];
            if (string.Equals(job.AcceleratorType, pool.AcceleratorType, StringComparison.Ordinal) && job.LeastUnits < _refused && CanEver(job) && !granted.ContainsKey(job.Uid))
            {
                Head = job;
                _next++;
                return;
            }
        }
    }

    /// <summary>Nothing that needs as much has a chance after this one: usage only grows within a decision, and priorities only fall.</summary>
    public void Refuse() => _refused = Head!.LeastUnits;

    public void Hold(long available, bool fitsLater)
    {
        (Holder, AvailableToHolder, HolderFitsLater) = (Head, available, fitsLater);
        line.Kept = Math.Max(0, Math.Min(available, Head!.LeastUnits));
        pool.AddNow(line, line.Kept);
    }

    private bool CanEver(QueuedJob job) => job.MissingPriorityClass is null && (job.NotBefore is null || job.NotBefore <= now) && line.IsDeclared && job.LeastUnits <= pool.Most(line);
}
