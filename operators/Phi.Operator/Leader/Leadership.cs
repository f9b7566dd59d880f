namespace Phi.Operator.Leader;

/// <summary>Whether this process may act now. It ends by itself when nobody extends it, whatever hangs elsewhere in the process.</summary>
internal sealed class Leadership(TimeProvider time)
{
    private const long Never = long.MinValue;
    private const long Always = long.MaxValue;
    private long _until = Never;

    public bool IsLeading => Interlocked.Read(ref _until) is var until && (until == Always || (until != Never && time.GetTimestamp() < until));

    /// <summary>Of an operator that has no rival.</summary>
    public static Leadership Permanent(TimeProvider time) => new(time) { _until = Always };

    /// <param name="since">Timestamp of <see cref="TimeProvider.GetTimestamp"/> from which the span counts: when the renewal was sent.</param>
    public void Extend(long since, TimeSpan span) => Interlocked.Exchange(ref _until, since + (long)(span.TotalSeconds * time.TimestampFrequency));

    public void End() => Interlocked.Exchange(ref _until, Never);

    /// <summary>What is left of it; zero if nothing is.</summary>
    public TimeSpan Remaining
    {
        get
        {
            var until = Interlocked.Read(ref _until);
            return until is Never ? TimeSpan.Zero
                : until is Always ? TimeSpan.MaxValue
                : TimeSpan.FromSeconds(Math.Max(0, (until - time.GetTimestamp()) / (double)time.TimestampFrequency));
        }
    }
}
