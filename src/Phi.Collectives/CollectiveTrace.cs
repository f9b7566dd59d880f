namespace Phi.Collectives;

/// <summary>The collective that one rank is in, or was in last. Written by the communicator's thread; read by any.</summary>
public sealed class CollectiveTrace(TimeProvider time)
{
    private readonly Lock _lock = new();
    private CollectiveOperation? _operation;
    private long _number;
    private long? _since;

    /// <summary>Operation and number, counted from 1; null before the first.</summary>
    public (CollectiveOperation Operation, long Number)? Last
    {
        get
        {
            lock (_lock)
            {
                return _operation is { } operation ? (operation, _number) : null;
            }
        }
    }

    /// <summary>How long the rank has been in it; null outside of one.</summary>
    public TimeSpan? Waiting
    {
        get
        {
            lock (_lock)
            {
                return _since is { } since ? time.GetElapsedTime(since) : null;
            }
        }
    }

    internal void Enter(CollectiveOperation operation)
    {
        lock (_lock)
        {
            (_operation, _since) = (operation, time.GetTimestamp());
            _number++;
        }
    }

    internal void Leave()
    {
        lock (_lock)
        {
            _since = null;
        }
    }

    /// <summary>Of a device's stream, whose collectives begin and end unseen: the oldest that is on its way.</summary>
    /// <param name="since">When it was seen to have begun; null: none is on its way, or it waits for the compute before it.</param>
    internal void See(CollectiveOperation? operation, long number, long? since)
    {
        lock (_lock)
        {
            (_operation, _number, _since) = (operation ?? _operation, number, since);
        }
    }
}
