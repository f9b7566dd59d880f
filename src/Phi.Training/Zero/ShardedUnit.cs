using Phi.Collectives;
using Phi.Training.Kernels;
using Phi.Training.Model;

namespace Phi.Training.Zero;

/// <summary>This rank's shard of one unit: weights, gradient and both moments, each [shardLength] fp32. The unit is padded to whole shards.</summary>
public sealed class ShardedUnit : IDisposable
{
    private const double InitialDeviation = 0.02;

    public ShardedUnit(UnitLayout layout, int index, ICommunicator group, long seed)
    {
        Layout = layout;
        ShardLength = (layout.Length + group.WorldSize - 1) / group.WorldSize;
        Weights = new NativeBuffer(ShardLength);
        Gradients = new NativeBuffer(ShardLength);
        FirstMoments = new NativeBuffer(ShardLength);
        SecondMoments = new NativeBuffer(ShardLength);
        Initialize(group.Rank * ShardLength, index, seed);
    }

    public UnitLayout Layout { get; }

    public long ShardLength { get; }

    public NativeBuffer Weights { get; }

    public NativeBuffer Gradients { get; }

    public NativeBuffer FirstMoments { get; }

    public NativeBuffer SecondMoments { get; }

    public void Dispose()
    {
        Weights.Dispose();
        Gradients.Dispose();
        FirstMoments.Dispose();
        SecondMoments.Dispose();
    }

    /// <summary>Each value depends on its place in the unit alone, not on which rank holds it.</summary>
    private void Initialize(long shardStart, int index, long seed)
    {
        var weights = Weights.Span;
        foreach (var tensor in Layout.Tensors)
        {
            var first = Math.Max(tensor.Offset, shardStart);
            var end = Math.Min(tensor.Offset + tensor.Length, shardStart + ShardLength);
            for (var i = first; i < end; i++)
            {
                weights[(int)(i - shardStart)] = tensor.Initialization switch
                {
                    Initialization.Normal => (float)(InitialDeviation * CounterRandom.Normal((ulong)seed, (ulong)index, (ulong)i)),
                    Initialization.One => 1,
                    _ => 0,
                };
            }
        }
    }
}
