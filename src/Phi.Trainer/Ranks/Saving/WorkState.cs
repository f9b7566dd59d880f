namespace Phi.Trainer.Ranks.Saving;

internal enum WorkState
{
    /// <summary>Going on, or not begun.</summary>
    Pending,
    Done,
    Failed,
}
