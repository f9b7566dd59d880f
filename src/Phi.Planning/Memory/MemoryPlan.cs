using Phi.Planning.Shapes;
using Phi.Planning.Steps;

namespace Phi.Planning.Memory;

/// <summary>
/// Bytes of a rank's accelerator, by what holds them. States and slots are the engine's own, to the byte, and buffers what it reserves;
/// activations are counted from the tensors that its forward pass leaves for the backward pass; what the device's libraries and allocator
/// take is an estimate.
/// </summary>
public sealed record MemoryPlan(IReadOnlyList<MemoryPart> Parts)
{
    /// <summary>Context, kernels, cuBLAS workspaces and NCCL's buffers.</summary>
    private const long LibraryBytes = 1_500_000_000;

    /// <summary>What an allocator of blocks loses between them.</summary>
    private const double Fragmentation = 0.05;

    public long Total => Parts.Sum(part => part.Bytes);

    public long Of(string name) => Parts.First(part => part.Name == name).Bytes;

    /// <param name="isGpu">Whether the accelerator's libraries take memory too.</param>
    public static MemoryPlan Of(JobShape job, bool isGpu)
    {
        var costs = new TransferCosts(job);
        var elements = Sum(unit => unit.ShardLength);
        var activations = Activations(job);
        var logits = Logits(job);
        var estimate = isGpu ? LibraryBytes + (long)(Fragmentation * (activations + logits)) : 0;
        return new MemoryPlan(
        [
            new MemoryPart(MemoryPart.Parameters, elements * sizeof(float), "fp32 weights of this rank's shards"),
            new MemoryPart(MemoryPart.Gradients, (elements + (job.Stage == 1 ? job.Places * elements : 0)) * sizeof(float), job.Stage == 1 ? "fp32, its shards and the whole of the micro-batches' sums" : "fp32, of its shards"),
            new MemoryPart(MemoryPart.Optimizer, 2 * elements * sizeof(float), "AdamW's two moments, fp32, of its shards"),
            new MemoryPart(MemoryPart.Slots, Slots(job, costs), "gathered units and their gradients"),
            new MemoryPart(MemoryPart.Buffers, Buffers(job, costs), "messages and sums on their way"),
            new MemoryPart(MemoryPart.SecondaryShards, job.SecondaryShards && job.Groups > 1 ? job.Groups * Sum(unit => unit.WeightMessage) : 0, "hpZ's copy of the weights, shared by the group"),
            new MemoryPart(MemoryPart.Errors, Errors(job, costs), "what qgZ's INT4 hops rounded off"),
            new MemoryPart(MemoryPart.Activations, activations, job.Recomputes ? "one input for each layer, and one layer's tensors" : "tensors that the backward pass needs"),
            new MemoryPart(MemoryPart.Logits, logits, "logits, their softmax and gradients"),
            new MemoryPart(MemoryPart.Libraries, estimate, "CUDA, cuBLAS, NCCL, and the allocator's gaps: an estimate"),
        ]);

        long Sum(Func<UnitShape, long> of) => of(costs.Embedding) + job.Model.Layers * of(costs.Layer) + of(costs.Head);
    }

    private static long Slots(JobShape job, TransferCosts costs)
    {
        var ring = job.Stage == 3 ? Math.Min(Math.Max(job.Prefetch, 1) + 1, job.Model.Layers) : job.Model.Layers;
        return 2 * job.ElementBytes * job.Places * (costs.Embedding.ShardLength + ring * costs.Layer.ShardLength + costs.Head.ShardLength);
    }

    /// <summary>Each unit keeps its encoded shard; the rest is shared, as large as the largest unit asks.</summary>
    private static long Buffers(JobShape job, TransferCosts costs)
    {
        UnitShape[] units = [costs.Embedding, costs.Layer, costs.Head];
        var messages = costs.Embedding.WeightMessage + job.Model.Layers * costs.Layer.WeightMessage + costs.Head.WeightMessage;
        var isSharded = job.Stage > 0;
        var (hasWithin, hasAcross) = (isSharded && job.GroupSize > 1, isSharded && job.Groups > 1);
        var across = hasAcross && !job.SecondaryShards ? job.Groups * units.Max(unit => unit.WeightMessage) : 0;
        var sent = units.Max(unit => Math.Max(hasWithin ? job.Ranks * unit.WithinMessage : 0, hasAcross ? job.Groups * unit.AcrossMessage : 0));
        var received = Math.Max(sent, job.Places * units.Max(unit => unit.WeightMessage));
        var sums = (job.Groups + 1L) * units.Max(unit => unit.ShardLength) * sizeof(float);
        var values = units.Max(unit => unit.ShardLength) * sizeof(float) * (job.Stage < 2 && job.ElementBytes < sizeof(float) ? job.Places : hasWithin || hasAcross ? 1 : 0);
        return messages + across + sent + received + sums + values;
    }

    private static long Errors(JobShape job, TransferCosts costs)
    {
        if (job.Gradients is not { ErrorFeedback: true } gradients)
        {
            return 0;
        }

        var matrices = costs.Embedding.MatrixShard + job.Model.Layers * costs.Layer.MatrixShard + costs.Head.MatrixShard;
        var shards = (gradients.IntraBits == 4 && job.GroupSize > 1 ? job.Ranks : 0) + (gradients.InterBits == 4 && job.Groups > 1 ? job.Groups : 0);
        return shards * matrices * sizeof(float);
    }

    /// <summary>
    /// Of a layer's token, in elements: input, norm, q, k, v, attention's output before and after it is laid out for the projection, and the
    /// MLP before and after its activation; dropout adds two masks of a byte and a copy. A backward pass has the gradients of one layer beside.
    /// </summary>
    private static long Activations(JobShape job)
    {
        long h = job.Model.HiddenSize, m = job.Model.MlpSize, tokens = (long)Math.Min(job.MicroBatch, Math.Max(1, job.Samples(0))) * job.Model.SequenceLength;
        var kept = (6 * h + 2 * m) * job.ElementBytes + (job.HasDropout ? 2 * h + h * job.ElementBytes : 0);
        var inFlight = (6 * h + 2 * m) * job.ElementBytes;
        var layers = job.Recomputes ? (job.Model.Layers + 1) * h * job.ElementBytes + kept : job.Model.Layers * (kept + h * job.ElementBytes) + h * job.ElementBytes;
        return tokens * (layers + inFlight);
    }

    /// <summary>In the precision of the compute, in fp32, as log-probabilities, and the gradients of these.</summary>
    private static long Logits(JobShape job)
    {
        var tokens = (long)Math.Min(job.MicroBatch, Math.Max(1, job.Samples(0))) * job.Model.SequenceLength;
        return tokens * job.Model.VocabularySize * (3L * sizeof(float) + 2 * job.ElementBytes);
    }
}

/// <param name="Name">One of the constants.</param>
public sealed record MemoryPart(string Name, long Bytes, string What)
{
    public const string Parameters = "parameters";
    public const string Gradients = "gradients";
    public const string Optimizer = "optimizer";
    public const string Slots = "slots";
    public const string Buffers = "buffers";
    public const string SecondaryShards = "secondaryShards";
    public const string Errors = "errorFeedback";
    public const string Activations = "activations";
    public const string Logits = "logits";
    public const string Libraries = "libraries";
}
