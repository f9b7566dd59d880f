namespace Phi.Checkpoints.Retention;

/// <summary>Which checkpoints of a store are kept.</summary>
public sealed record RetentionPolicy
{
    /// <summary>Newest checkpoints kept, at least 1.</summary>
    public required int KeepLast { get; init; }

    /// <summary>Checkpoints of every multiple of so many steps are kept for ever; step 0 is none of them. Null: no others than the newest.</summary>
    public long? KeepEvery { get; init; }

    /// <summary>How long what was never committed stays after its last file was written: it may be being saved. By the storage's clock. Default: 1 hour.</summary>
    public TimeSpan OrphanGrace { get; init; } = TimeSpan.FromHours(1);
}
