using Phi.Training.Kernels.Quantization;

namespace Phi.Training.Zero;

/// <summary>What is sharded, and what is quantised on its way (ZeRO, arXiv 1910.02054; ZeRO++, arXiv 2306.10209).</summary>
public sealed record ZeroConfiguration
{
    /// <summary>0: nothing is sharded; 1: optimizer states; 2: and gradients; 3: and parameters. Default 3.</summary>
    public int Stage { get; init; } = 3;

    /// <summary>Ranks of one node; must divide the world size. 0, the default: all ranks are on one node.</summary>
    public int RanksPerNode { get; init; }

    /// <summary>qwZ: the block of INT8 weights; 0, the default: weights travel in the precision of the compute.</summary>
    public int WeightBlock { get; init; }

    /// <summary>hpZ: each node keeps a whole copy of the weights, so that only the first gather of a step leaves it.</summary>
    public bool SecondaryShards { get; init; }

    /// <summary>qgZ; null, the default: gradients travel in the precision of the compute.</summary>
    public GradientQuantization? Gradients { get; init; }

    /// <summary>Units gathered ahead of the compute, on a thread of their own; 0: nothing overlaps. Default 1.</summary>
    public int Prefetch { get; init; } = 1;

    internal bool IsQuantized => WeightBlock > 0 || SecondaryShards || Gradients is not null;

    /// <summary>Shards are whole blocks. One value serves every usual block size, so that quantisation can be switched between attempts.</summary>
    internal long Alignment => Math.Max(ShardLayout.DefaultAlignment, Math.Max(WeightBlock, Gradients?.BlockSize ?? 0));

    /// <exception cref="ArgumentException">A value that cannot be, or two that exclude each other.</exception>
    public void Validate(int worldSize)
    {
        if (Stage is < 0 or > 3)
        {
            throw new ArgumentException($"zero.stage {Stage} must be from 0 to 3; write 3 to shard parameters, gradients and optimizer states");
        }

        if (Stage < 3 && IsQuantized)
        {
            throw new ArgumentException($"zero.stage {Stage} keeps whole weights on every rank, and ZeRO++ quantises the traffic of sharded ones; write stage 3, or turn quantizedWeights, hierarchicalPartitioning and quantizedGradients off");
        }

        if (RanksPerNode > 0 && worldSize % RanksPerNode != 0)
        {
            throw new ArgumentException($"zero.hierarchicalPartitioning.groupSize {RanksPerNode} does not divide the {worldSize} ranks; choose one that does");
        }

        ArgumentOutOfRangeException.ThrowIfNegative(Prefetch);
        _ = WeightBlock > 0 ? new BlockQuantizer(8, WeightBlock) : null;
        _ = Gradients is { } gradients ? (new BlockQuantizer(gradients.IntraBits, gradients.BlockSize), new BlockQuantizer(gradients.InterBits, gradients.BlockSize)) : default;
    }
}

/// <summary>qgZ: bits of the hop within a node and of the hop across (4 or 8), and the block that shares a scale.</summary>
/// <param name="ErrorFeedback">Each INT4 hop adds to its next message what it rounded off the last one (LoCo, arXiv 2407.04480).</param>
public sealed record GradientQuantization(int IntraBits = 8, int InterBits = 4, int BlockSize = 256, bool ErrorFeedback = false);
