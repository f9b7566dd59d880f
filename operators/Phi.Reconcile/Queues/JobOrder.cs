namespace Phi.Reconcile.Queues;

/// <summary>The order in which a queue considers its jobs: higher priority, then longer in the queue, then by name.</summary>
public sealed class JobOrder : IComparer<QueuedJob>
{
    public static JobOrder Instance { get; } = new();

    public int Compare(QueuedJob? x, QueuedJob? y)
    {
        if (ReferenceEquals(x, y))
        {
            return 0;
        }

        var order = y!.Priority.CompareTo(x!.Priority);
        order = order != 0 ? order : x.QueuedSince.CompareTo(y.QueuedSince);
        order = order != 0 ? order : string.CompareOrdinal(x.Key, y.Key);
        return order != 0 ? order : string.CompareOrdinal(x.Uid, y.Uid);
    }
}
