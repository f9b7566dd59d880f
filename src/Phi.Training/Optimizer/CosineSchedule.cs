namespace Phi.Training.Optimizer;

/// <summary>Linear warm-up, then half a cosine to zero at the last step (arXiv 1608.03983, without restarts).</summary>
public sealed record CosineSchedule(long WarmupSteps, long TotalSteps) : ISchedule
{
    public float Factor(long step) =>
        step < WarmupSteps
            ? (step + 1) / (float)WarmupSteps
            : (float)(0.5 * (1 + Math.Cos(Math.PI * Math.Min(1, (step - WarmupSteps) / (double)Math.Max(1, TotalSteps - WarmupSteps)))));
}
