using System.Numerics.Tensors;
using Phi.Collectives;
using Phi.Training.Kernels;
using Phi.Training.Kernels.Quantization;

namespace Phi.Training.Zero;

/// <summary>
/// One hop of a gradient reduction: every rank of a group sends each peer the part that is the peer's, and sums what comes in rank
/// order in fp32. A message is, for each shard of the part, its matrices (codes with scales, bf16 or fp32) and its vectors.
/// </summary>
internal sealed unsafe class ReductionHop : IDisposable
{
    private readonly ICommunicator _group;
    private readonly ShardedUnit _unit;
    private readonly CommunicationScratch _scratch;
    private readonly BlockQuantizer? _quantizer;
    private readonly ComputePrecision _precision;
    private readonly int _shardsPerPart;
    private readonly long _matrixBytes;
    private readonly long _shardBytes;

    /// <param name="quantizer">Null: values travel in the precision of the compute.</param>
    /// <param name="shardsPerPart">Shards that each peer is sent.</param>
    public ReductionHop(ICommunicator group, ShardedUnit unit, CommunicationScratch scratch, BlockQuantizer? quantizer, ComputePrecision precision, int shardsPerPart, bool errorFeedback)
    {
        (_group, _unit, _scratch, _quantizer, _precision, _shardsPerPart) = (group, unit, scratch, quantizer, precision, shardsPerPart);
        _matrixBytes = quantizer?.EncodedLength(unit.MatrixShard) ?? unit.MatrixShard * ElementBytes;
        _shardBytes = _matrixBytes + unit.VectorShard * ElementBytes;
        Errors = quantizer is not null && errorFeedback ? new NativeBuffer(Shards * unit.MatrixShard) : null;
        scratch.Sent.Reserve(Shards * _shardBytes);
        scratch.Received.Reserve(Shards * _shardBytes);
        scratch.Values.Reserve(2 * unit.ShardLength * sizeof(float));
    }

    /// <summary>With error feedback: what the last messages rounded off, [shards × matrixShard]. Part of the checkpoint.</summary>
    public NativeBuffer? Errors { get; }

    private long PartBytes => _shardsPerPart * _shardBytes;

    private int Shards => _group.WorldSize * _shardsPerPart;

    private int ElementBytes => _precision == ComputePrecision.Bf16 ? sizeof(ushort) : sizeof(float);

    /// <summary>Encodes a message for each peer. <see cref="Exchange"/> comes next.</summary>
    /// <param name="matrices">[shards × matrixShard] and <paramref name="vectors"/> [shards × vectorShard], in <paramref name="precision"/>.</param>
    public void Encode(byte* matrices, byte* vectors, ComputePrecision precision)
    {
        var inputBytes = precision == ComputePrecision.Bf16 ? sizeof(ushort) : sizeof(float);
        for (var shard = 0; shard < Shards; shard++)
        {
            var message = _scratch.Sent.Pointer + shard * _shardBytes;
            EncodeMatrices(matrices + shard * _unit.MatrixShard * inputBytes, precision, message, shard);
            Convert(vectors + shard * _unit.VectorShard * inputBytes, precision, message + _matrixBytes, _unit.VectorShard);
        }

    }

    /// <summary>Sends each peer its message. What came is summed next, by one of the two methods below. Collective.</summary>
    public void Exchange() => _group.AllToAll(_scratch.Sent.Address, _scratch.Received.Address, PartBytes).Wait();

    /// <param name="matrixSums">[shardsPerPart × matrixShard], and <paramref name="vectorSums"/> [shardsPerPart × vectorShard].</param>
    public void Sum(float* matrixSums, float* vectorSums)
    {
        for (var shard = 0; shard < _shardsPerPart; shard++)
        {
            var message = _scratch.Received.Pointer + shard * _shardBytes;
            if (_quantizer is not null)
            {
                _quantizer.DecodeSum(message, _group.WorldSize, PartBytes, matrixSums + shard * _unit.MatrixShard, _unit.MatrixShard);
            }
            else
            {
                Sum(message, matrixSums + shard * _unit.MatrixShard, _unit.MatrixShard);
            }

            Sum(message + _matrixBytes, vectorSums + shard * _unit.VectorShard, _unit.VectorShard);
        }
    }

    /// <summary>Whether sums can go straight into the next hop's messages: both are quantised, and the next one keeps no errors.</summary>
    public bool CanFeed(ReductionHop next) => _quantizer is not null && next is { _quantizer: not null, Errors: null };

    /// <summary>Sums and encodes the next hop's messages in one pass, with the same bits as the two would give.</summary>
    public void SumInto(ReductionHop next)
    {
        var sums = (float*)_scratch.Sums.Pointer;
        for (var shard = 0; shard < _shardsPerPart; shard++)
        {
            var message = _scratch.Received.Pointer + shard * _shardBytes;
            var nextMessage = _scratch.Sent.Pointer + shard * next._shardBytes;
            _quantizer!.DecodeSumEncode(message, _group.WorldSize, PartBytes, next._quantizer!, nextMessage, _unit.MatrixShard);
            Sum(message + _matrixBytes, sums, _unit.VectorShard);
            next.Convert((byte*)sums, ComputePrecision.Fp32, nextMessage + next._matrixBytes, _unit.VectorShard);
        }
    }

    public void Dispose() => Errors?.Dispose();

    private void EncodeMatrices(byte* values, ComputePrecision precision, byte* message, int shard)
    {
        var count = _unit.MatrixShard;
        if (_quantizer is null)
        {
            Convert(values, precision, message, count);
            return;
        }

        var single = (float*)values;
        if (precision == ComputePrecision.Bf16)
        {
            single = (float*)_scratch.Values.Pointer;
            Bfloat16Memory.ToSingle((ushort*)values, single, count);
        }

        if (Errors is null)
        {
            _quantizer.Encode(single, message, count);
            return;
        }

        // What this message rounds off is kept, and added to the next one's values.
        var errors = new Span<float>(Errors.Pointer + shard * count, checked((int)count));
        var decoded = (float*)_scratch.Values.Pointer + count;
        TensorPrimitives.Add(errors, new ReadOnlySpan<float>(single, errors.Length), errors);
        _quantizer.Encode(Errors.Pointer + shard * count, message, count);
        _quantizer.Decode(message, decoded, count);
        TensorPrimitives.Subtract(errors, new ReadOnlySpan<float>(decoded, errors.Length), errors);
    }

    private void Convert(byte* from, ComputePrecision precision, byte* to, long count)
    {
        if (precision == _precision)
        {
            Buffer.MemoryCopy(from, to, count * ElementBytes, count * ElementBytes);
        }
        else if (_precision == ComputePrecision.Bf16)
        {
            Bfloat16Memory.FromSingle((float*)from, (ushort*)to, count);
        }
        else
        {
            Bfloat16Memory.ToSingle((ushort*)from, (float*)to, count);
        }
    }

    private void Sum(byte* parts, float* sums, long count)
    {
        var sum = new Span<float>(sums, checked((int)count));
        for (var peer = 0; peer < _group.WorldSize; peer++)
        {
            var part = parts + peer * PartBytes;
            if (_precision == ComputePrecision.Bf16)
            {
                var values = (float*)_scratch.Values.Pointer;
                Bfloat16Memory.ToSingle((ushort*)part, values, count);
                part = (byte*)values;
            }

            var next = new ReadOnlySpan<float>(part, sum.Length);
            if (peer == 0)
            {
                next.CopyTo(sum);
            }
            else
            {
                TensorPrimitives.Add(sum, next, sum);
            }
        }
    }
}
