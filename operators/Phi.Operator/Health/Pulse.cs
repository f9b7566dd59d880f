namespace Phi.Operator.Health;

/// <summary>One loop's sign of life: it is stuck when a single piece of its work takes longer than any may.</summary>
internal sealed class Pulse(string name, TimeSpan longest, TimeProvider time)
{
    private long _since;

    public string Name { get; } = name;

    public bool IsStuck => Interlocked.Read(ref _since) is var since and not 0 && time.GetElapsedTime(since) > longest;

    /// <summary>A piece of work begins, or gets visibly further.</summary>
    public void Beat() => Interlocked.Exchange(ref _since, Math.Max(1, time.GetTimestamp()));

    /// <summary>The loop waits for work.</summary>
    public void Rest() => Interlocked.Exchange(ref _since, 0);
}
