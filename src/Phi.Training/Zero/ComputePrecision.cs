namespace Phi.Training.Zero;

/// <summary>Of gathered weights, activations and gradients; master weights, moments and sums are always fp32.</summary>
public enum ComputePrecision
{
    Fp32,
    Bf16,
    /// <summary>With dynamic loss scaling.</summary>
    Fp16,
}
