using Phi.Trainer.Ranks;

namespace Phi.Trainer.Agent.Events;

/// <summary>When events go to the disk, how many are kept, and which are given up first.</summary>
internal sealed record EventOptions
{
    /// <summary>How long a batch waits for more events. Default 100 ms.</summary>
    public TimeSpan Gather { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Between the first two tries of a batch; it doubles up to <see cref="LongestRetryDelay"/>. Default 500 ms.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Default 4 s.</summary>
    public TimeSpan LongestRetryDelay { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>How often what waits in memory is looked at. Default 500 ms.</summary>
    public TimeSpan SpillPeriod { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>For how long the operator may take nothing before events go to the disk. Default 3 s.</summary>
    public TimeSpan SpillAfter { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Events in memory beyond which they go to the disk though the operator answers. Default 5,000.</summary>
    public int SpillEvents { get; init; } = 5_000;

    /// <summary>Bound of the events in memory while the disk takes none. Default 20,000, about 50 MB.</summary>
    public int MemoryEvents { get; init; } = 20_000;

    /// <summary>Bound of the events on disk. Default 256 MiB.</summary>
    public long DiskBytes { get; init; } = 256L << 20;

    /// <summary>A file of events from which on another one is begun. Default 4 MiB.</summary>
    public long SegmentBytes { get; init; } = 4L << 20;

    /// <summary>
    /// Beyond a tenth of the bound texts of evaluated problems are given up, beyond four fifths steps of ranks other than 0, beyond all of it
    /// those of rank 0; nothing else ever is.
    /// </summary>
    public static bool Keeps(RankEvent value, long used, long bound) => value switch
    {
        RankEvent.Graded => used < bound / 10,
        RankEvent.Stepped { Step.Rank: var rank } => used < (rank == 0 ? bound : bound * 4 / 5),
        _ => true,
    };
}
