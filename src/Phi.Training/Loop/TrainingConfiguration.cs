using Phi.Training.Optimizer;
using Phi.Training.Zero;

namespace Phi.Training.Loop;

/// <summary>One run, the same on every rank.</summary>
public sealed record TrainingConfiguration
{
    public required ModelConfiguration Model { get; init; }
    /// <summary>Sequences per step over all ranks.</summary>
    public required int GlobalBatch { get; init; }
    /// <summary>The most sequences per rank and forward pass.</summary>
    public required int MicroBatch { get; init; }
    public required ISchedule Schedule { get; init; }
    public AdamW Optimizer { get; init; } = new();
    public ZeroConfiguration Zero { get; init; } = new();
    /// <summary>Of gathered weights, activations and gradients. Default fp32.</summary>
    public ComputePrecision Precision { get; init; }
    /// <summary>Layers run again in the backward pass instead of keeping their activations. Default false.</summary>
    public bool ActivationCheckpointing { get; init; }
    /// <summary>Probability of dropping an attention weight, or a value that is added to the residual stream. Default 0.</summary>
    public double Dropout { get; init; }
    public long Seed { get; init; } = 1;
    /// <summary>Batches that are left out, counted from 0 in the order of the data, ascending. Default none.</summary>
    public IReadOnlyList<long> SkippedBatches { get; init; } = [];
    /// <summary>CPU threads of torch in this rank. Default 1.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>The batch that a step trains on.</summary>
    /// <param name="step">Steps done before it.</param>
    public long Batch(long step)
    {
        foreach (var skipped in SkippedBatches)
        {
            step += skipped <= step ? 1 : 0;
        }

        return step;
    }
}
