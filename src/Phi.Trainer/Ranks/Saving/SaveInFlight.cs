using Phi.Api.Agent;
using Phi.Checkpoints.Format;

namespace Phi.Trainer.Ranks.Saving;

/// <summary>A save between its snapshot and its commit. Its fields belong to the training thread.</summary>
internal sealed class SaveInFlight(long step, StallClock stall, long started)
{
    public long Step { get; } = step;

    public StallClock Stall { get; } = stall;

    /// <summary>Timestamp of its beginning.</summary>
    public long Started { get; } = started;

    public TimeSpan Snapshot { get; set; }

    /// <summary>Rank 0's steps up to this one.</summary>
    public required IReadOnlyList<(int Attempt, StepEvent Step)> History { get; init; }

    /// <summary>This rank's shard; null if it writes none.</summary>
    public BackgroundWork<ShardEntry?>? Part { get; set; }

    /// <summary>All parts are there, and rank 0 commits.</summary>
    public bool IsCommitting { get; set; }

    /// <summary>On rank 0 while <see cref="IsCommitting"/>.</summary>
    public BackgroundWork<CheckpointEvent>? Commit { get; set; }
}
