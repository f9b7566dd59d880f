using Phi.Api.TrainingJobs;

namespace Phi.Api.Traffic;

/// <summary>
/// Bytes of one optimizer step, summed over ranks, that ZeRO-3 moves with 16-bit weights and gradients and none of ZeRO++'s techniques:
/// what a job's own traffic is held against (arXiv 2306.10209, section 3: a forward gather, a backward gather, a reduce-scatter).
/// <para>
/// N = nodes × L ranks. A unit (the embedding, each layer, the head) of M matrix and V vector elements is cut into N shards of
/// s = 2 · ⌈⌈M / N⌉ / 256⌉ · 256 + ⌈2 · ⌈V / N⌉ / 16⌉ · 16 bytes. Gathers and reductions are hierarchical: a shard crosses the network once for each
/// other node, so one of either moves N · (nodes − 1) · s across nodes and N · (L − 1) · nodes · s within them.
/// </para>
/// <para>
/// A unit that is still in place is not gathered again: the embedding, the head, and the two layers that the ring of slots holds. With k
/// layers and P micro-batch passes a step has 1 gather of the embedding and of the head, k + (2P − 1) · max(0, k − 2) of layers, and P
/// reductions of every unit. All-reduces of single values (loss, norm) are left out.
/// </para>
/// </summary>
public sealed record ZeroTraffic(long WithinNodes, long AcrossNodes)
{
    private const int ElementBytes = 2;
    private const int Alignment = 256;
    private const int MessageAlignment = 16;
    private const int RingLayers = 2;

    /// <param name="spec">With defaults; its pods are the nodes.</param>
    /// <returns>Null for a job that is not the built-in trainer's, shards less than parameters, or leaves the vocabulary's size to its tokenizer.</returns>
    public static ZeroTraffic? SixteenBit(TrainingJobSpec spec)
    {
        if (spec is not { Phi: { Model: { VocabularySize: not null } model, Batch: { Global: { } global, Micro: { } micro } }, Zero.Stage: 3, Replicas: { } nodes, Accelerator.PerReplica: { } ranksPerNode })
        {
            return null;
        }

        return SixteenBit(model, nodes, ranksPerNode, global / (micro * nodes * ranksPerNode));
    }

    /// <param name="model">With every dimension.</param>
    /// <param name="nodes">At least 1.</param>
    /// <param name="ranksPerNode">L, at least 1.</param>
    /// <param name="passes">P: micro-batches of each rank per step.</param>
    public static ZeroTraffic SixteenBit(ModelSpec model, int nodes, int ranksPerNode, int passes)
    {
        long ranks = (long)nodes * ranksPerNode;
        long h = model.HiddenSize!.Value, m = model.MlpSize!.Value, v = model.VocabularySize!.Value, layers = model.Layers!.Value;
        var embedding = ShardBytes(v * h, 0);
        var layer = ShardBytes(4 * h * h + 2 * h * m, 7 * h + m);
        var head = ShardBytes(v * h, 2 * h + v);
        var layerGathers = layers + (2L * passes - 1) * Math.Max(0, layers - RingLayers);
        var shards = (1 + passes) * (embedding + head) + (layerGathers + passes * layers) * layer;
        return new ZeroTraffic(ranks * (ranksPerNode - 1) * nodes * shards, ranks * (nodes - 1) * shards);

        long ShardBytes(long matrices, long vectors) =>
            ElementBytes * RoundUp(RoundUp(matrices, ranks) / ranks, Alignment) + RoundUp(ElementBytes * (RoundUp(vectors, ranks) / ranks), MessageAlignment);
    }

    private static long RoundUp(long value, long multiple) => (value + multiple - 1) / multiple * multiple;
}
