using Phi.Api.Agent;
using Phi.Telemetry.Series;

namespace Phi.Operator.Progress;

/// <summary>A run's committed checkpoints: how many, and the newest. One that is not beyond the newest may be known: that the store tells.</summary>
internal sealed class SavedCheckpoints
{
    private readonly HashSet<long> _damaged = [];
    private long _bytes;

    public int Count { get; private set; }

    public double StallSeconds { get; private set; }

    /// <summary>Null: there is none.</summary>
    public CheckpointEvent? Newest { get; private set; }

    /// <summary>Only the store knows how many there are.</summary>
    public bool IsInDoubt { get; private set; }

    /// <summary>Steps whose checkpoint turned out to be none.</summary>
    public IReadOnlyCollection<long> Damaged => _damaged;

    /// <returns>Whether it is certainly new.</returns>
    public bool Add(CheckpointEvent checkpoint)
    {
        var isSavedAgain = _damaged.Remove(checkpoint.Step);
        if (!isSavedAgain && checkpoint.Step <= Newest?.Step)
        {
            IsInDoubt = true;
            return false;
        }

        if (!(checkpoint.Step <= Newest?.Step))
        {
            Newest = checkpoint;
        }

        Count++;
        StallSeconds += checkpoint.StallSeconds;
        _bytes += checkpoint.Bytes;
        return true;
    }

    public void Remove(long step)
    {
        _damaged.Add(step);
        IsInDoubt = true;
        if (Newest?.Step == step)
        {
            Newest = null;
        }
    }

    /// <returns>How many more there are than were counted, and their bytes.</returns>
    public (int Count, long Bytes) Set(CheckpointTotals totals)
    {
        var found = (Math.Max(0, totals.Count - Count), Math.Max(0, totals.Bytes - _bytes));
        (Count, _bytes, StallSeconds, IsInDoubt) = (totals.Count, totals.Bytes, totals.StallSeconds, false);
        // Of one that was saved again after it was damaged the store has the first.
        if (totals.Newest is { } newest && !(newest.Step <= Newest?.Step))
        {
            Newest = new CheckpointEvent { Step = newest.Step, Time = newest.Time, Uri = newest.Uri, Bytes = newest.Bytes, Seconds = newest.Seconds, StallSeconds = newest.StallSeconds };
        }

        return found;
    }
}
