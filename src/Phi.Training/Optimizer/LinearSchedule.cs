namespace Phi.Training.Optimizer;

/// <summary>Linear warm-up, then linear decay to zero at the last step.</summary>
public sealed record LinearSchedule(long WarmupSteps, long TotalSteps) : ISchedule
{
    public float Factor(long step) =>
        step < WarmupSteps
            ? (step + 1) / (float)WarmupSteps
            : Math.Max(0, (TotalSteps - step) / (float)Math.Max(1, TotalSteps - WarmupSteps));
}
