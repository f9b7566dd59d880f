using System.Numerics.Tensors;
using Phi.Training.Kernels;
using Phi.Training.Kernels.Quantization;

namespace Phi.Training.Zero;

/// <summary>
/// Sums one unit's gradient over all ranks into this rank's shard, in two hops: within the node, then across (qgZ, arXiv 2306.10209,
/// section 4.3). A hop of one rank is left out. Sums are fp32, in rank order, and are not divided: the mean is taken once, at the update.
/// </summary>
internal sealed unsafe class GradientReducer : IDisposable
{
    private readonly ShardedUnit _unit;
    private readonly ZeroTopology _topology;
    private readonly CommunicationScratch _scratch;
    private readonly ReductionHop? _within;
    private readonly ReductionHop? _across;

    public GradientReducer(ShardedUnit unit, ZeroTopology topology, ZeroConfiguration configuration, ComputePrecision precision, CommunicationScratch scratch)
    {
        (_unit, _topology, _scratch) = (unit, topology, scratch);
        if (topology is { IsSharded: true, Node: { } node })
        {
            _within = NewHop(node, configuration.Gradients?.IntraBits, topology.Nodes);
        }

        if (topology is { IsSharded: true, Across: { } across })
        {
            _across = NewHop(across, configuration.Gradients?.InterBits, 1);
        }

        scratch.Sums.Reserve((topology.Nodes + 1) * unit.ShardLength * sizeof(float));

        ReductionHop NewHop(Collectives.ICommunicator group, int? bits, int shardsPerPart)
        {
            var quantizer = configuration.Gradients is { } gradients ? new BlockQuantizer(bits!.Value, gradients.BlockSize) : null;
            return new ReductionHop(group, unit, scratch, quantizer, precision, shardsPerPart, configuration.Gradients is { ErrorFeedback: true } && bits == 4);
        }
    }

    /// <summary>Errors that the INT4 hops keep, by the name of the hop; empty without error feedback.</summary>
    public IEnumerable<(string Hop, NativeBuffer Errors)> Errors =>
        new[] { ("within", _within?.Errors), ("across", _across?.Errors) }.Where(hop => hop.Item2 is not null)!;

    /// <summary>Adds the sum to the shard's gradient. Collective.</summary>
    /// <param name="matrices">[places × matrixShard], and <paramref name="vectors"/> [places × vectorShard], in <paramref name="precision"/>.</param>
    public void Reduce(byte* matrices, byte* vectors, ComputePrecision precision)
    {
        if (_within is not null && _across is not null && _within.CanFeed(_across))
        {
            _within.Encode(matrices, vectors, precision);
            _within.Exchange();
            _within.SumInto(_across);
            _across.Exchange();
            var sums = (float*)_scratch.Sums.Pointer;
            _across.Sum(sums, sums + _unit.MatrixShard);
            Add((byte*)sums, ComputePrecision.Fp32, _unit.Gradients.Pointer, _unit.ShardLength);
            return;
        }

        var partMatrices = (float*)_scratch.Sums.Pointer;
        var partVectors = partMatrices + _topology.Nodes * _unit.MatrixShard;
        if (_within is not null)
        {
            _within.Encode(matrices, vectors, precision);
            _within.Exchange();
            _within.Sum(partMatrices, partVectors);
            matrices = (byte*)partMatrices;
            vectors = (byte*)partVectors;
            precision = ComputePrecision.Fp32;
        }

        if (_across is not null)
        {
            var shard = partVectors + _topology.Nodes * _unit.VectorShard;
            _across.Encode(matrices, vectors, precision);
            _across.Exchange();
            _across.Sum(shard, shard + _unit.MatrixShard);
            matrices = (byte*)shard;
            vectors = (byte*)(shard + _unit.MatrixShard);
            precision = ComputePrecision.Fp32;
        }

        Add(matrices, precision, _unit.Gradients.Pointer, _unit.MatrixShard);
        Add(vectors, precision, _unit.Gradients.Pointer + _unit.MatrixShard, _unit.VectorShard);
    }

    public void Dispose()
    {
        _within?.Dispose();
        _across?.Dispose();
    }

    private void Add(byte* values, ComputePrecision precision, float* sums, long count)
    {
        if (precision == ComputePrecision.Bf16)
        {
            var single = (float*)_scratch.Sums.Pointer;
            Bfloat16Memory.ToSingle((ushort*)values, single, count);
            values = (byte*)single;
        }

        var sum = new Span<float>(sums, checked((int)count));
        TensorPrimitives.Add(sum, new ReadOnlySpan<float>(values, sum.Length), sum);
    }
}
