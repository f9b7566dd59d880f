namespace Phi.Trainer.Ranks.Saving;

/// <summary>Time that training stood still for one save. It runs on one thread and is read on another.</summary>
internal sealed class StallClock(TimeProvider time)
{
    private readonly Lock _lock = new();
    private TimeSpan _sum;
    private long _since;
    private int _depth;

    /// <summary>Up to now, also while it runs.</summary>
    public TimeSpan Total
    {
        get
        {
            lock (_lock)
            {
                return _depth > 0 ? _sum + time.GetElapsedTime(_since) : _sum;
            }
        }
    }

    /// <summary>What is measured within another measurement counts once.</summary>
    public T Measure<T>(Func<T> work)
    {
        lock (_lock)
        {
            if (_depth++ == 0)
            {
                _since = time.GetTimestamp();
            }
        }

        try
        {
            return work();
        }
        finally
        {
            lock (_lock)
            {
                if (--_depth == 0)
                {
                    _sum += time.GetElapsedTime(_since);
                }
            }
        }
    }
}
