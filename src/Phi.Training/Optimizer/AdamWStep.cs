namespace Phi.Training.Optimizer;

/// <summary>Constants of one update, the same for every value: the whole arithmetic of a step outside the loop over values.</summary>
public readonly record struct AdamWStep
{
    /// <param name="step">Updates done, this one included: from 1.</param>
    /// <param name="rate">Learning rate of this step.</param>
    /// <param name="gradientScale">Factor of the gradient: mean, clipping and loss scale.</param>
    public AdamWStep(AdamW optimizer, long step, float rate, float gradientScale)
    {
        GradientScale = gradientScale;
        Beta1 = optimizer.Beta1;
        Beta2 = optimizer.Beta2;
        Epsilon = optimizer.Epsilon;
        Decay = 1 - rate * optimizer.WeightDecay;
        StepSize = rate * (float)(1 / (1 - Math.Pow(optimizer.Beta1, step)));
        Correction2 = (float)(1 / Math.Sqrt(1 - Math.Pow(optimizer.Beta2, step)));
    }

    public float GradientScale { get; }
    public float Beta1 { get; }
    public float Beta2 { get; }
    public float Epsilon { get; }
    /// <summary>1 - rate × weight decay.</summary>
    public float Decay { get; }
    /// <summary>Rate over the bias correction of the first moment.</summary>
    public float StepSize { get; }
    /// <summary>One over the root of the bias correction of the second moment.</summary>
    public float Correction2 { get; }
}
