using Phi.Checkpoints.Layout;

namespace Phi.Planning.Shapes;

/// <summary>
/// A unit's shard, in elements, and its messages, in bytes: as the engine lays them out (src/Phi.Training/Zero/README.md). Values travel in
/// the precision of the compute, or as codes with one bfloat16 scale for each block; both parts of a message are whole 16 bytes.
/// </summary>
public sealed record UnitShape
{
    private const int MessageAlignment = 16;

    public required long MatrixShard { get; init; }

    public required long VectorShard { get; init; }

    /// <summary>Of a shard of weights.</summary>
    public required long WeightMessage { get; init; }

    /// <summary>Of a shard of gradients on the hop within a group.</summary>
    public required long WithinMessage { get; init; }

    /// <summary>The same on the hop across groups.</summary>
    public required long AcrossMessage { get; init; }

    /// <summary>Forward operations for a token; the embedding only copies rows.</summary>
    public required double ForwardOperations { get; init; }

    public long ShardLength => MatrixShard + VectorShard;

    /// <summary>The embedding, one of the layers, which are alike, and the head.</summary>
    public static (UnitShape Embedding, UnitShape Layer, UnitShape Head) Of(JobShape job)
    {
        // Layers are alike: one stands for all of them.
        var units = UnitLayout.Of(job.Model with { Layers = 1 });
        return (Of(job, units[0], 0), Of(job, units[1], ModelOperations.Layer(job.Model)), Of(job, units[2], ModelOperations.Head(job.Model)));
    }

    private static UnitShape Of(JobShape job, UnitLayout unit, double operations)
    {
        var alignment = Math.Max(ShardLayout.DefaultAlignment, Math.Max(job.WeightBlock, job.Gradients?.BlockSize ?? 0));
        var (matrices, vectors) = (ShardLayout.MatrixShard(unit, job.Places, alignment), ShardLayout.VectorShard(unit, job.Places));
        return new UnitShape
        {
            MatrixShard = matrices,
            VectorShard = vectors,
            WeightMessage = Message(job.WeightBlock > 0 ? 8 : 0, job.WeightBlock),
            WithinMessage = Message(job.Gradients?.IntraBits ?? 0, job.Gradients?.BlockSize ?? 0),
            AcrossMessage = Message(job.Gradients?.InterBits ?? 0, job.Gradients?.BlockSize ?? 0),
            ForwardOperations = operations,
        };

        long Message(int bits, int block) =>
            RoundUp(bits == 0 ? matrices * job.ElementBytes : matrices * bits / 8 + matrices / block * sizeof(ushort)) + RoundUp(vectors * job.ElementBytes);
    }

    private static long RoundUp(long bytes) => (bytes + MessageAlignment - 1) / MessageAlignment * MessageAlignment;
}
