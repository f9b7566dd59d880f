namespace Phi.Checkpoints.Retention;

public enum RetainedKind
{
    Checkpoint,

    /// <summary>A step that was never committed.</summary>
    Orphan,

    /// <summary>Shards of a committed step that are not part of its checkpoint.</summary>
    Leftovers,
}

/// <summary>What becomes of a step, and why.</summary>
/// <param name="Bytes">That stay or go.</param>
/// <param name="Reason">CamelCase word: Newest, KeepLast, KeepEvery, Pinned, InUse, Damaged, Recent; for what goes Older, DamagedOld, NeverCommitted.</param>
public sealed record RetentionDecision(long Step, RetainedKind Kind, long Bytes, bool IsRemoved, string Reason, string Message);
