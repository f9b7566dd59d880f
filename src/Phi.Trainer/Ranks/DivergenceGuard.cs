using Phi.Api.TrainingJobs;
using Phi.Training.Loop;

namespace Phi.Trainer.Ranks;

/// <summary>Finds a loss that is not finite, or that jumps above its recent median. All ranks see the same losses and so agree without a word.</summary>
internal sealed class DivergenceGuard(DivergenceSpec spec)
{
    /// <summary>Fewer losses have no median worth the name.</summary>
    private const int LeastLosses = 5;
    private readonly Queue<float> _recent = new();

    /// <summary>What is wrong with the step; null if nothing is, or if the job wants to train on whatever comes.</summary>
    /// <param name="isScaled">In fp16 a gradient that is not finite is the loss scaler's to mend.</param>
    public string? Check(StepResult step, bool isScaled)
    {
        if (spec.Action == "Ignore")
        {
            return null;
        }

        if (!float.IsFinite(step.Loss))
        {
            return $"the loss of step {step.Step} is {step.Loss} (batch {step.Batch})";
        }

        if (!float.IsFinite(step.GradientNorm) && !isScaled)
        {
            return $"the gradient's norm at step {step.Step} is {step.GradientNorm} (batch {step.Batch})";
        }

        if (spec.SpikeFactor is { } factor && _recent.Count >= LeastLosses && Median() is var median && step.Loss > factor * median)
        {
            return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"the loss of step {step.Step} is {step.Loss:0.0###}, above {factor} times the median {median:0.0###} of the {_recent.Count} steps before (batch {step.Batch})");
        }

        _recent.Enqueue(step.Loss);
        if (_recent.Count > spec.Window)
        {
            _recent.Dequeue();
        }

        return null;
    }

    private float Median()
    {
        var sorted = _recent.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
