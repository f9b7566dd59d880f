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
    /// One update of flat fp32 memory in one pass. Every operation is a single IEEE one, without fused multiply-add, so that any
    /// vector width gives the same bits.
    /// </summary>
    /// <param name="step">Updates done, this one included: from 1.</param>
    /// <param name="rate">Learning rate of this step.</param>
    /// <param name="gradientScale">Factor of the gradient: mean and clipping.</param>
    public unsafe void Update(float* weights, float* gradients, float* firstMoments, float* secondMoments, long count, long step, float rate, float gradientScale)
    {
        var correction1 = (float)(1 / (1 - Math.Pow(Beta1, step)));
        var correction2 = (float)(1 / Math.Sqrt(1 - Math.Pow(Beta2, step)));
        var decay = 1 - rate * WeightDecay;
        var stepSize = rate * correction1;
        long i = 0;
        for (; i + Vector256<float>.Count <= count; i += Vector256<float>.Count)
        {
            var g = Vector256.Load(gradients + i) * gradientScale;
            var m = Vector256.Load(firstMoments + i) * Beta1 + g * (1 - Beta1);
            var v = Vector256.Load(secondMoments + i) * Beta2 + g * g * (1 - Beta2);
            m.Store(firstMoments + i);
            v.Store(secondMoments + i);
            var denominator = Vector256.Sqrt(v) * correction2 + Vector256.Create(Epsilon);
            (Vector256.Load(weights + i) * decay - m * stepSize / denominator).Store(weights + i);
        }

        for (; i < count; i++)
        {
            var g = gradients[i] * gradientScale;
            var m = firstMoments[i] * Beta1 + g * (1 - Beta1);
            var v = secondMoments[i] * Beta2 + g * g * (1 - Beta2);
            firstMoments[i] = m;
            secondMoments[i] = v;
            weights[i] = weights[i] * decay - m * stepSize / (MathF.Sqrt(v) * correction2 + Epsilon);
        }
    }
}
