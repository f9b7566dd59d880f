using Phi.Training.Devices;
using Phi.Training.Kernels;

namespace Phi.Training.Zero;

/// <summary>
/// This rank's shard of one unit: weights, gradient and both moments, each [matrixShard + vectorShard] fp32, matrices first.
/// Both regions are padded to whole shards.
/// </summary>
public sealed class ShardedUnit : IDisposable
{
    private const double InitialDeviation = 0.02;
    private const int InitializedAtOnce = 1 << 22;
    private const int FilledAtOnce = 1 << 14;

    /// <param name="place">Which of the unit's shards this is, from 0.</param>
    /// <param name="alignment">Matrix shards are whole multiples of it, in elements.</param>
    public ShardedUnit(IDevice device, UnitLayout layout, int index, int place, int places, long alignment, long seed)
    {
        Layout = layout;
        MatrixShard = ShardLayout.MatrixShard(layout, places, alignment);
        VectorShard = ShardLayout.VectorShard(layout, places);
        Place = place;
        Weights = new DeviceBuffer(device, ShardLength);
        Gradients = new DeviceBuffer(device, ShardLength);
        FirstMoments = new DeviceBuffer(device, ShardLength);
        SecondMoments = new DeviceBuffer(device, ShardLength);
        Initialize(index, seed);
    }

    public UnitLayout Layout { get; }

    public int Place { get; }

    public long MatrixShard { get; }

    public long VectorShard { get; }

    public long ShardLength => MatrixShard + VectorShard;

    public DeviceBuffer Weights { get; }

    public DeviceBuffer Gradients { get; }

    public DeviceBuffer FirstMoments { get; }

    public DeviceBuffer SecondMoments { get; }

    public void Dispose()
    {
        Weights.Dispose();
        Gradients.Dispose();
        FirstMoments.Dispose();
        SecondMoments.Dispose();
    }

    /// <summary>Makes weights and moments what the constructor made them.</summary>
    internal void Restart(int index, long seed)
    {
        Weights.Clear();
        FirstMoments.Clear();
        SecondMoments.Clear();
        Initialize(index, seed);
    }

    /// <summary>Each value depends on its tensor and its place in it alone, not on which rank holds it.</summary>
    private void Initialize(int index, long seed)
    {
        foreach (var (number, tensor) in Layout.Tensors.Index().Where(tensor => tensor.Item.Initialization != Initialization.Zero))
        {
            var (shard, at) = tensor.IsMatrix ? (MatrixShard, 0L) : (VectorShard, MatrixShard);
            var first = Math.Max(tensor.Offset, Place * shard);
            var end = Math.Min(tensor.Offset + tensor.Length, (Place + 1) * shard);
            for (var start = first; start < end; start += InitializedAtOnce)
            {
                var values = new float[Math.Min(InitializedAtOnce, end - start)];
                Fill(values, tensor, (ulong)seed, ((ulong)index << 32) | (uint)number, start - tensor.Offset);
                Weights.Upload(values, at + start - Place * shard);
            }
        }
    }

    private static void Fill(float[] values, TensorLayout tensor, ulong seed, ulong stream, long first)
    {
        if (tensor.Initialization == Initialization.One)
        {
            Array.Fill(values, 1);
            return;
        }

        Parallel.For(0, (values.Length + FilledAtOnce - 1) / FilledAtOnce, part =>
        {
            for (var i = part * FilledAtOnce; i < Math.Min(values.Length, (part + 1) * FilledAtOnce); i++)
            {
                values[i] = (float)(InitialDeviation * CounterRandom.Normal(seed, stream, (ulong)(first + i)));
            }
        });
    }
}
