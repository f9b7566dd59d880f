namespace Phi.Operator.Events;

/// <summary>Lets a burst through, then so many a second. For one caller at a time.</summary>
internal sealed class TokenBucket(int burst, double perSecond, TimeProvider time)
{
    private double _tokens = burst;
    private long _filledAt = time.GetTimestamp();

    public async ValueTask TakeAsync(CancellationToken ct)
    {
        while (true)
        {
            var now = time.GetTimestamp();
            _tokens = Math.Min(burst, _tokens + time.GetElapsedTime(_filledAt, now).TotalSeconds * perSecond);
            _filledAt = now;
            if (_tokens >= 1)
            {
                _tokens--;
                return;
            }

            // At least a tick of the clock, else rounding could ask for no delay at all.
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling((1 - _tokens) / perSecond * 1000)), time, ct);
        }
    }
}
