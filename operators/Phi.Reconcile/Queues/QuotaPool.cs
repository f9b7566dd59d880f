namespace Phi.Reconcile.Queues;

/// <summary>
/// Accelerators of one type in one cohort (or of one queue that has none). Availability is counted as Kueue counts it: a queue's
/// guaranteed part first, then what the cohort shares, up to the queue's borrowing limit.
/// </summary>
internal sealed class QuotaPool
{
    private long _sharedNow;
    private long _sharedLater;

    public QuotaPool(string acceleratorType, IReadOnlyList<QuotaLine> lines)
    {
        (AcceleratorType, Lines) = (acceleratorType, lines);
        Shared = lines.Sum(line => line.Quota.Nominal - line.Guaranteed);
        _sharedNow = lines.Sum(line => Math.Max(0, line.Now - line.Guaranteed));
        _sharedLater = lines.Sum(line => Math.Max(0, line.Later - line.Guaranteed));
    }

    public string AcceleratorType { get; }

    public IReadOnlyList<QuotaLine> Lines { get; }

    /// <summary>What the queues of the cohort lend each other.</summary>
    public long Shared { get; }

    public long AvailableNow(QuotaLine line) => Available(line, line.Now, _sharedNow);

    public long AvailableLater(QuotaLine line) => Available(line, line.Later, _sharedLater);

    /// <summary>What a queue could have if nobody else used anything.</summary>
    public long Most(QuotaLine line)
    {
        var most = line.Guaranteed + Shared;
        return line.Quota.BorrowingLimit is { } limit && line.Queue.Cohort is not null ? Math.Min(most, (long)line.Quota.Nominal + limit) : most;
    }

    public void AddNow(QuotaLine line, long units)
    {
        _sharedNow -= Math.Max(0, line.Now - line.Guaranteed);
        line.Now += units;
        _sharedNow += Math.Max(0, line.Now - line.Guaranteed);
    }

    public void AddLater(QuotaLine line, long units)
    {
        _sharedLater -= Math.Max(0, line.Later - line.Guaranteed);
        line.Later += units;
        _sharedLater += Math.Max(0, line.Later - line.Guaranteed);
    }

    /// <summary>For a try that leaves this one as it is.</summary>
    public QuotaPool Copy() => new(AcceleratorType, [.. Lines.Select(line => line.Copy())]);

    public QuotaLine Line(string queue) => Lines.First(line => line.Queue.Name == queue);

    private long Available(QuotaLine line, long used, long sharedUsed)
    {
        var own = Math.Max(0, line.Guaranteed - used);
        var fromShared = Shared - sharedUsed;
        if (line.Quota.BorrowingLimit is { } limit && line.Queue.Cohort is not null)
        {
            fromShared = Math.Min(fromShared, line.Quota.Nominal - line.Guaranteed - Math.Max(0, used - line.Guaranteed) + limit);
        }

        // A cohort that uses more than it has, as after a quota was lowered, does not touch what is guaranteed.
        return own + Math.Max(0, fromShared);
    }
}
