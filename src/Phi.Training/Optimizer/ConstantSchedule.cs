namespace Phi.Training.Optimizer;

/// <summary>Linear warm-up, a constant rate, then linear decay to zero over the last steps: warm-up, stable, decay (arXiv 2404.06395).</summary>
/// <param name="DecaySteps">0: the rate stays to the end.</param>
public sealed record ConstantSchedule(long WarmupSteps, long DecaySteps, long TotalSteps) : ISchedule
{
    public float Factor(long step)
    {
        var left = Math.Max(0, TotalSteps - step);
        return step < WarmupSteps ? (step + 1) / (float)WarmupSteps : left < DecaySteps ? left / (float)DecaySteps : 1;
    }
}
