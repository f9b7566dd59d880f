using Phi.Training.Kernels;

namespace Phi.Training.Zero;

/// <summary>
/// This rank's shard of one unit: weights, gradient and both moments, each [matrixShard + vectorShard] fp32, matrices first.
/// Both regions are padded to whole shards.
/// </summary>
public sealed class ShardedUnit : IDisposable
{
    private const double InitialDeviation = 0.02;

    /// <param name="place">Which of the unit's shards this is, from 0.</param>
    /// <param name="alignment">Matrix shards are whole multiples of it, in elements.</param>
    public ShardedUnit(UnitLayout layout, int index, int place, int places, long alignment, long seed)
    {
        Layout = layout;
        MatrixShard = ShardLayout.MatrixShard(layout, places, alignment);
        VectorShard = ShardLayout.VectorShard(layout, places);
        Place = place;
        Weights = new NativeBuffer(ShardLength);
        Gradients = new NativeBuffer(ShardLength);
        FirstMoments = new NativeBuffer(ShardLength);
        SecondMoments = new NativeBuffer(ShardLength);
        Initialize(index, seed);
    }

    public UnitLayout Layout { get; }

    public int Place { get; }

    public long MatrixShard { get; }

    public long VectorShard { get; }

    public long ShardLength => MatrixShard + VectorShard;

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

    /// <summary>Each value depends on its tensor and its place in it alone, not on which rank holds it.</summary>
    private void Initialize(int index, long seed)
    {
        foreach (var (number, tensor) in Layout.Tensors.Index())
        {
            var (shard, at) = tensor.IsMatrix ? (MatrixShard, 0L) : (VectorShard, MatrixShard);
            var stream = ((ulong)index << 32) | (uint)number;
            var first = Math.Max(tensor.Offset, Place * shard);
            var end = Math.Min(tensor.Offset + tensor.Length, (Place + 1) * shard);
            for (var i = first; i < end; i++)
            {
                Weights.Span[checked((int)(at + i - Place * shard))] = tensor.Initialization switch
                {
                    Initialization.Normal => (float)(InitialDeviation * CounterRandom.Normal((ulong)seed, stream, (ulong)(i - tensor.Offset))),
                    Initialization.One => 1,
                    _ => 0,
                };
            }
        }
    }
}
