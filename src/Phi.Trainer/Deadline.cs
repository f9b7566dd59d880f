namespace Phi.Trainer;

/// <summary>When somebody will be killed, by a monotonic clock. Of several times the earliest counts. Safe for several threads.</summary>
internal sealed class Deadline(TimeProvider time)
{
    private readonly Lock _lock = new();
    private (long Since, TimeSpan Left)? _earliest;

    /// <summary>Grows when the deadline moves.</summary>
    public int Version { get; private set; }

    /// <summary>Null: nobody has said. Below zero when it is over.</summary>
    public TimeSpan? Left
    {
        get
        {
            lock (_lock)
            {
                return _earliest is { } earliest ? earliest.Left - time.GetElapsedTime(earliest.Since) : null;
            }
        }
    }

    public void Add(TimeSpan left)
    {
        lock (_lock)
        {
            if (Left is not { } known || left < known)
            {
                _earliest = (time.GetTimestamp(), left);
                Version++;
            }
        }
    }
}
