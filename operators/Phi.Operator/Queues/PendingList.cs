using System.Collections.Immutable;
using Phi.Reconcile.Queues;

namespace Phi.Operator.Queues;

/// <summary>Waiting jobs of one queue, always in order; the array for decisions is made anew only after a change.</summary>
internal sealed class PendingList
{
    private readonly List<QueuedJob> _jobs = [];
    private ImmutableArray<QueuedJob>? _array;

    public int Count => _jobs.Count;

    public ImmutableArray<QueuedJob> Jobs => _array ??= [.. _jobs];

    public void Add(QueuedJob job)
    {
        var at = _jobs.BinarySearch(job, JobOrder.Instance);
        _jobs.Insert(at < 0 ? ~at : at, job);
        _array = null;
    }

    public void Remove(QueuedJob job)
    {
        if (_jobs.BinarySearch(job, JobOrder.Instance) is >= 0 and var at)
        {
            _jobs.RemoveAt(at);
            _array = null;
        }
    }
}
