using Phi.Api.TrainingJobs;
using Phi.Checkpoints.Layout;

namespace Phi.Planning.Shapes;

/// <summary>What of a job decides its memory, its traffic and its time.</summary>
public sealed record JobShape
{
    public required ModelConfiguration Model { get; init; }

    /// <summary>All ranks.</summary>
    public required int Ranks { get; init; }

    /// <summary>Ranks of one pod, which has a node to itself.</summary>
    public required int RanksPerNode { get; init; }

    /// <summary>Ranks that ZeRO++ takes for one node: hpZ's group, or a pod's.</summary>
    public required int GroupSize { get; init; }

    public required int GlobalBatch { get; init; }

    public required int MicroBatch { get; init; }

    /// <summary>Of gathered weights, activations and gradients.</summary>
    public required int ElementBytes { get; init; }

    public int Stage { get; init; } = 3;

    /// <summary>qwZ's block; 0: off.</summary>
    public int WeightBlock { get; init; }

    /// <summary>hpZ.</summary>
    public bool SecondaryShards { get; init; }

    /// <summary>qgZ; null: off.</summary>
    public GradientShape? Gradients { get; init; }

    /// <summary>Units gathered ahead of the compute; 0: nothing overlaps. The trainer's is 1.</summary>
    public int Prefetch { get; init; } = 1;

    /// <summary>Layers are computed again in the backward pass.</summary>
    public bool Recomputes { get; init; }

    public bool HasDropout { get; init; }

    public int Groups => Ranks / GroupSize;

    public int Nodes => (Ranks + RanksPerNode - 1) / RanksPerNode;

    /// <summary>Shards of a unit.</summary>
    public int Places => Stage > 0 ? Ranks : 1;

    /// <summary>Micro-batches that a rank computes in a step.</summary>
    public int Passes => (GlobalBatch - 1) / checked(MicroBatch * Ranks) + 1;

    public long TokensPerStep => (long)GlobalBatch * Model.SequenceLength;

    /// <summary>Sequences that the busiest rank computes in a pass; the last pass divides what the others leave.</summary>
    public int Samples(int pass)
    {
        var left = GlobalBatch - (long)pass * MicroBatch * Ranks;
        return left >= (long)MicroBatch * Ranks ? MicroBatch : (int)((left + Ranks - 1) / Ranks);
    }

    /// <param name="spec">A phi job's, valid, with defaults; its vocabulary's size is known.</param>
    public static JobShape Of(TrainingJobSpec spec)
    {
        var (phi, zero, perPod) = (spec.Phi!, spec.Zero!, spec.Accelerator!.PerReplica!.Value);
        return new JobShape
        {
            Model = ModelConfiguration.Of(phi.Model!),
            Ranks = spec.Replicas!.Value * perPod,
            RanksPerNode = perPod,
            GroupSize = zero.HierarchicalPartitioning is { Enabled: true, GroupSize: { } group } ? group : perPod,
            GlobalBatch = phi.Batch!.Global!.Value,
            MicroBatch = phi.Batch.Micro!.Value,
            ElementBytes = phi.Precision == "fp32" ? sizeof(float) : sizeof(ushort),
            Stage = zero.Stage!.Value,
            WeightBlock = zero.QuantizedWeights is { Enabled: true } weights ? weights.BlockSize!.Value : 0,
            SecondaryShards = zero.HierarchicalPartitioning?.Enabled == true,
            Gradients = zero.QuantizedGradients is { Enabled: true } gradients
                ? new GradientShape(gradients.IntraBits!.Value, gradients.InterBits!.Value, gradients.BlockSize!.Value, gradients.ErrorFeedback!.Value)
                : null,
            Recomputes = phi.ActivationCheckpointing == "full",
            HasDropout = phi.Model!.Dropout > 0,
        };
    }
}

/// <summary>qgZ: bits of the hop within a group and of the hop across (4 or 8), the block that shares a scale, and whether INT4 hops keep errors.</summary>
public sealed record GradientShape(int IntraBits, int InterBits, int BlockSize, bool ErrorFeedback);
