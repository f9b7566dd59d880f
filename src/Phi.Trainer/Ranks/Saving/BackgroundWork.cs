using System.Runtime.ExceptionServices;
using Phi.Checkpoints;

namespace Phi.Trainer.Ranks.Saving;

/// <summary>Work on another thread, which a training step asks after and seldom waits for.</summary>
internal sealed class BackgroundWork<T>(Func<T> work, TimeProvider time)
{
    private readonly object _ended = new();
    private volatile bool _hasEnded;
    private ExceptionDispatchInfo? _error;
    private T? _result;

    public bool HasEnded => _hasEnded;

    public WorkState State => !HasEnded ? WorkState.Pending : Problem is null ? WorkState.Done : WorkState.Failed;

    /// <summary>Of the storage, which another try may not meet; null if there is none, or before the end.</summary>
    public StorageException? Problem => HasEnded ? _error?.SourceException as StorageException : null;

    /// <summary>How long it took; after its end.</summary>
    public TimeSpan Duration { get; private set; }

    /// <summary>After an end without a problem.</summary>
    public T Result => HasEnded && _error is null ? _result! : throw new InvalidOperationException("the work has no result");

    public static BackgroundWork<T> Done(T result, TimeProvider time)
    {
        var done = new BackgroundWork<T>(() => result, time);
        done.Run();
        return done;
    }

    public void Run()
    {
        var started = time.GetTimestamp();
        try
        {
            _result = work();
        }
        catch (Exception e)
        {
            // For the thread that asks.
            _error = ExceptionDispatchInfo.Capture(e);
        }

        Duration = time.GetElapsedTime(started);
        lock (_ended)
        {
            _hasEnded = true;
            Monitor.PulseAll(_ended);
        }
    }

    public void WaitForEnd()
    {
        lock (_ended)
        {
            while (!_hasEnded)
            {
                Monitor.Wait(_ended);
            }
        }
    }

    /// <summary>Throws what is no <see cref="Problem"/>, if it ended so.</summary>
    public void ThrowIfBroken()
    {
        if (HasEnded && Problem is null)
        {
            _error?.Throw();
        }
    }
}
