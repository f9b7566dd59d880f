namespace Phi.Operator.AgentApi;

/// <summary>
/// Since when the operator has been listening without a pause. A process that was stopped, or starved, has heard nobody meanwhile, and
/// must not take its own silence for that of the agents.
/// </summary>
internal sealed class Listening : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(3);
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private DateTimeOffset _since;
    private DateTimeOffset _last;

    public Listening(TimeProvider time)
    {
        _time = time;
        _since = _last = time.GetUtcNow();
        _timer = time.CreateTimer(_ => Look(), null, Period, Period);
    }

    /// <summary>Whoever asks first after a pause sees it, before the timer does.</summary>
    public DateTimeOffset Since => Look();

    /// <summary>What was heard before counts no more.</summary>
    public void Restart()
    {
        lock (_lock)
        {
            _since = _last = _time.GetUtcNow();
        }
    }

    public void Dispose() => _timer.Dispose();

    private DateTimeOffset Look()
    {
        lock (_lock)
        {
            var now = _time.GetUtcNow();
            if (now - _last > Pause)
            {
                _since = now;
            }

            _last = now;
            return _since;
        }
    }
}
