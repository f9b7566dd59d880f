using Microsoft.Extensions.Time.Testing;

namespace Phi.Checkpoints.Tests.Blobs;

/// <summary>Time that goes on only while a retry waits for it. For one request at a time: another one on its way would see it fly.</summary>
internal sealed class RetryTime : FakeTimeProvider
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(0.25);
    private readonly Lock _lock = new();
    private TaskCompletionSource _waits = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _waiting;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new WatchedTimer(base.CreateTimer(callback, state, dueTime, period), () => Count(-1));
        Count(1);
        return timer;
    }

    /// <summary>Lets retries come and fail until the work ends or so much time has passed.</summary>
    public async Task PassAsync(Task work, TimeSpan time)
    {
        for (var until = GetUtcNow() + time; GetUtcNow() < until && !work.IsCompleted;)
        {
            Task waits;
            lock (_lock)
            {
                waits = _waits.Task;
            }

            if (await Task.WhenAny(work, waits) == waits)
            {
                Advance(Tick);
            }
        }
    }

    private void Count(int change)
    {
        lock (_lock)
        {
            _waiting += change;
            if (_waiting > 0)
            {
                _waits.TrySetResult();
            }
            else if (_waits.Task.IsCompleted)
            {
                _waits = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    private sealed class WatchedTimer(ITimer timer, Action ended) : ITimer
    {
        private int _isDisposed;

        public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(dueTime, period);

        public void Dispose()
        {
            timer.Dispose();
            if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
            {
                ended();
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
