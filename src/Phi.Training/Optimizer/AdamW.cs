using System.Runtime.Intrinsics;

namespace Phi.Training.Optimizer;

/// <summary>AdamW with decoupled weight decay (arXiv 1711.05101). Defaults are phi-1's.</summary>
public sealed record AdamW
{
    public float LearningRate { get; init; } = 1e-3f;
    public float Beta1 { get; init; } = 0.9f;
    public float Beta2 { get; init; } = 0.98f;
    public float Epsilon { get; init; } = 1e-7f;
    public float WeightDecay { get; init; } = 0.1f;
    /// <summary>Largest global gradient norm; 0 turns clipping off.</summary>
    public float ClipNorm { get; init; } = 1;

    /// <summary>
    /// One update of flat fp32 memory in one pass:
    /// g = gradient × scale; m = m·β1 + g·(1 - β1); v = v·β2 + g·g·(1 - β2);
    /// w = w·decay - m·stepSize / (√v·correction2 + ε).
    /// Every operation is a single IEEE one, without fused multiply-add, so that any vector width gives the same bits.
    /// </summary>
    public static unsafe void Update(AdamWStep step, float* weights, float* gradients, float* firstMoments, float* secondMoments, long count)
    {
        var (beta1, beta2, rest1, rest2) = (step.Beta1, step.Beta2, 1 - step.Beta1, 1 - step.Beta2);
        long i = 0;
        for (; i + Vector256<float>.Count <= count; i += Vector256<float>.Count)
        {
            var g = Vector256.Load(gradients + i) * step.GradientScale;
            var m = Vector256.Load(firstMoments + i) * beta1 + g * rest1;
            var v = Vector256.Load(secondMoments + i) * beta2 + g * g * rest2;
            m.Store(firstMoments + i);
            v.Store(secondMoments + i);
            var denominator = Vector256.Sqrt(v) * step.Correction2 + Vector256.Create(step.Epsilon);
            (Vector256.Load(weights + i) * step.Decay - m * step.StepSize / denominator).Store(weights + i);
        }

        for (; i < count; i++)
        {
            var g = gradients[i] * step.GradientScale;
            var m = firstMoments[i] * beta1 + g * rest1;
            var v = secondMoments[i] * beta2 + g * g * rest2;
            firstMoments[i] = m;
            secondMoments[i] = v;
            weights[i] = weights[i] * step.Decay - m * step.StepSize / (MathF.Sqrt(v) * step.Correction2 + step.Epsilon);
        }
    }
}
