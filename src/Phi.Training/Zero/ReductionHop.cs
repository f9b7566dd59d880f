using Phi.Collectives;
using Phi.Training.Devices;

namespace Phi.Training.Zero;

/// <summary>
/// One hop of a gradient reduction: every rank of a group sends each peer the part that is the peer's, and sums what comes in rank
/// order in fp32. A part is one message for each of its shards.
/// </summary>
internal sealed class ReductionHop : IDisposable
{
    private readonly IDevice _device;
    private readonly ICommunicator _group;
    private readonly ShardedUnit _unit;
    private readonly CommunicationScratch _scratch;
    private readonly IBlockQuantizer? _quantizer;
    private readonly ComputePrecision _precision;
    private readonly int _shardsPerPart;
    private readonly MessageLayout _layout;

    /// <param name="quantizer">Null: values travel in the precision of the compute.</param>
    /// <param name="shardsPerPart">Shards that each peer is sent.</param>
    public ReductionHop(IDevice device, ICommunicator group, ShardedUnit unit, CommunicationScratch scratch, IBlockQuantizer? quantizer, ComputePrecision precision, int shardsPerPart, bool errorFeedback)
    {
        (_device, _group, _unit, _scratch, _quantizer, _precision, _shardsPerPart) = (device, group, unit, scratch, quantizer, precision, shardsPerPart);
        _layout = MessageLayout.Of(unit, quantizer, precision);
        Errors = quantizer is not null && errorFeedback ? new DeviceBuffer(device, Shards * unit.MatrixShard) : null;
        scratch.Sent.Reserve(Shards * _layout.Length);
        scratch.Received.Reserve(Shards * _layout.Length);
        scratch.Values.Reserve(unit.ShardLength * sizeof(float));
    }

    /// <summary>With error feedback: what the last messages rounded off, [shards × matrixShard]. Part of the checkpoint.</summary>
    public DeviceBuffer? Errors { get; }

    private nint PartBytes => (nint)(_shardsPerPart * _layout.Length);

    private int Shards => _group.WorldSize * _shardsPerPart;

    /// <summary>Encodes a message for each peer. <see cref="Exchange"/> comes next.</summary>
    /// <param name="matrices">[shards × matrixShard] and <paramref name="vectors"/> [shards × vectorShard], in <paramref name="precision"/>.</param>
    public void Encode(nint matrices, nint vectors, ComputePrecision precision)
    {
        for (var shard = 0; shard < Shards; shard++)
        {
            var message = MessageOf(_scratch.Sent, shard);
            EncodeMatrices(matrices + (nint)(shard * _unit.MatrixShard * precision.ElementBytes), precision, message, shard);
            _device.Convert(vectors + (nint)(shard * _unit.VectorShard * precision.ElementBytes), precision, message + (nint)_layout.VectorsAt, _precision, _unit.VectorShard);
        }
    }

    /// <summary>Sends each peer its message. What came is summed next, by one of the two methods below. Collective.</summary>
    public void Exchange() => _scratch.Wait(_group.AllToAll(_scratch.Sent.Address, _scratch.Received.Address, PartBytes));

    /// <param name="matrixSums">[shardsPerPart × matrixShard], and <paramref name="vectorSums"/> [shardsPerPart × vectorShard].</param>
    public void Sum(nint matrixSums, nint vectorSums)
    {
        for (var shard = 0; shard < _shardsPerPart; shard++)
        {
            var message = MessageOf(_scratch.Received, shard);
            var sums = matrixSums + (nint)(shard * _unit.MatrixShard * sizeof(float));
            if (_quantizer is not null)
            {
                _quantizer.DecodeSum(message, _group.WorldSize, PartBytes, sums, _unit.MatrixShard);
            }
            else
            {
                SumParts(message, sums, _unit.MatrixShard);
            }

            SumParts(message + (nint)_layout.VectorsAt, vectorSums + (nint)(shard * _unit.VectorShard * sizeof(float)), _unit.VectorShard);
        }
    }

    /// <summary>Whether sums can go straight into the next hop's messages: both are quantised, and the next one keeps no errors.</summary>
    public bool CanFeed(ReductionHop next) => _quantizer is not null && next is { _quantizer: not null, Errors: null };

    /// <summary>Sums and encodes the next hop's messages in one pass, with the same bits as the two would give.</summary>
    public void SumInto(ReductionHop next)
    {
        var sums = _scratch.Sums.Address;
        for (var shard = 0; shard < _shardsPerPart; shard++)
        {
            var message = MessageOf(_scratch.Received, shard);
            var nextMessage = next.MessageOf(_scratch.Sent, shard);
            _quantizer!.DecodeSumEncode(message, _group.WorldSize, PartBytes, next._quantizer!, nextMessage, _unit.MatrixShard);
            SumParts(message + (nint)_layout.VectorsAt, sums, _unit.VectorShard);
            _device.Convert(sums, ComputePrecision.Fp32, nextMessage + (nint)next._layout.VectorsAt, next._precision, _unit.VectorShard);
        }
    }

    public void Dispose() => Errors?.Dispose();

    private nint MessageOf(DeviceBytes messages, int shard) => messages.Address + (nint)(shard * _layout.Length);

    private void EncodeMatrices(nint values, ComputePrecision precision, nint message, int shard)
    {
        if (_quantizer is null)
        {
            _device.Convert(values, precision, message, _precision, _unit.MatrixShard);
        }
        else if (Errors is null)
        {
            _quantizer.Encode(values, precision, message, _unit.MatrixShard);
        }
        else
        {
            _quantizer.EncodeKeepingErrors(values, precision, Errors.At(shard * _unit.MatrixShard), message, _unit.MatrixShard);
        }
    }

    private void SumParts(nint parts, nint sums, long count)
    {
        _device.Convert(parts, _precision, sums, ComputePrecision.Fp32, count);
        for (var peer = 1; peer < _group.WorldSize; peer++)
        {
            var part = parts + peer * PartBytes;
            if (_precision != ComputePrecision.Fp32)
            {
                _device.Convert(part, _precision, _scratch.Values.Address, ComputePrecision.Fp32, count);
                part = _scratch.Values.Address;
            }

            _device.Add(part, sums, count);
        }
    }
}
