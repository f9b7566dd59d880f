namespace Phi.Reconcile.Policies;

/// <summary>Waits that double.</summary>
internal static class Backoff
{
    private const int MostDoublings = 62;

    /// <summary>The wait after something happened for the given time, counted from 1: the first wait, doubled with each time before, at most the longest.</summary>
    public static TimeSpan After(TimeSpan first, TimeSpan longest, int time)
    {
        var doublings = Math.Clamp(time - 1, 0, MostDoublings);
        // Compared before it is doubled, which could overflow.
        return first.Ticks <= longest.Ticks >> doublings ? TimeSpan.FromTicks(first.Ticks << doublings) : longest;
    }
}
