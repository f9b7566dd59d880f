using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Retention;

public enum StepState
{
    /// <summary>A checkpoint.</summary>
    Committed,

    /// <summary>Its manifest cannot be read, or was set aside as damaged.</summary>
    Damaged,

    /// <summary>It has shards and no manifest: it is being saved, or never was.</summary>
    Uncommitted,
}

/// <summary>What a store holds of one step.</summary>
/// <param name="Modified">When its newest file was written. Times are those of the storage's clock.</param>
public sealed record StoredStep(long Step, StepState State, long Bytes, DateTimeOffset Modified)
{
    /// <summary>Null: not pinned.</summary>
    public CheckpointPin? Pin { get; init; }

    /// <summary>Who reads it, or said so once.</summary>
    public IReadOnlyList<StepUse> Uses { get; init; } = [];

    /// <summary>Shards beside a committed checkpoint's own, of saves of the same step that were never committed.</summary>
    public IReadOnlyList<StoredFile> Leftovers { get; init; } = [];
}
