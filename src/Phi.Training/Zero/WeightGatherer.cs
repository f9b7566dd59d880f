using Phi.Collectives;
using Phi.Training.Kernels;
using Phi.Training.Kernels.Quantization;

namespace Phi.Training.Zero;

/// <summary>
/// One unit's weights on their way. The shard is encoded once after each update: fp32, bf16, or INT8 codes with scales (qwZ); vectors
/// are never quantised. A gather brings the shards of this local rank across nodes, then those of the node together. What came
/// across is the secondary shard: with hpZ it stays until the next update, so that the backward pass never leaves the node.
/// </summary>
internal sealed unsafe class WeightGatherer : IDisposable
{
    private readonly ShardedUnit _unit;
    private readonly ZeroTopology _topology;
    private readonly BlockQuantizer? _quantizer;
    private readonly ComputePrecision _precision;
    private readonly bool _keepsSecondary;
    private readonly NativeBytes _message;
    private readonly NativeBytes? _secondary;
    private readonly CommunicationScratch _scratch;
    private bool _hasSecondary;

    public WeightGatherer(ShardedUnit unit, ZeroTopology topology, ZeroConfiguration configuration, ComputePrecision precision, CommunicationScratch scratch)
    {
        (_unit, _topology, _precision, _scratch) = (unit, topology, precision, scratch);
        _quantizer = configuration.WeightBlock > 0 ? new BlockQuantizer(8, configuration.WeightBlock) : null;
        _keepsSecondary = configuration.SecondaryShards;
        MatrixBytes = _quantizer?.EncodedLength(unit.MatrixShard) ?? unit.MatrixShard * ElementBytes;
        VectorBytes = unit.VectorShard * ElementBytes;
        _message = new NativeBytes(MatrixBytes + VectorBytes);
        if (topology is { IsSharded: true, Across: not null })
        {
            _secondary = _keepsSecondary ? new NativeBytes(topology.Nodes * _message.Length) : scratch.Across;
            _secondary.Reserve(topology.Nodes * _message.Length);
        }

        scratch.Received.Reserve(topology.Places * _message.Length);
    }

    private int ElementBytes => _precision == ComputePrecision.Bf16 ? sizeof(ushort) : sizeof(float);

    private long MatrixBytes { get; }

    private long VectorBytes { get; }

    /// <summary>Call after the shard's weights have changed.</summary>
    public void Encode()
    {
        _hasSecondary = false;
        var weights = _unit.Weights.Pointer;
        if (_quantizer is not null)
        {
            _quantizer.Encode(weights, _message.Pointer, _unit.MatrixShard);
        }
        else
        {
            Convert(weights, _message.Pointer, _unit.MatrixShard);
        }

        Convert(weights + _unit.MatrixShard, _message.Pointer + MatrixBytes, _unit.VectorShard);
    }

    /// <summary>Fills the slot with the whole unit. Collective.</summary>
    public void Gather(Slot slot)
    {
        var mine = _message.Pointer;
        var length = _message.Length;
        if (_secondary is not null)
        {
            if (!_hasSecondary)
            {
                _topology.Across!.AllGather((nint)mine, _secondary.Address, length).Wait();
                _hasSecondary = _keepsSecondary;
            }

            mine = _secondary.Pointer;
            length = _topology.Nodes * _message.Length;
        }

        if (_topology is { IsSharded: true, Node: { } node })
        {
            node.AllGather((nint)mine, _scratch.Received.Address, length).Wait();
            mine = _scratch.Received.Pointer;
        }

        for (var place = 0; place < _topology.Places; place++)
        {
            Decode(mine + place * _message.Length, slot, place);
        }
    }

    public void Dispose()
    {
        _message.Dispose();
        if (_keepsSecondary)
        {
            _secondary?.Dispose();
        }
    }

    private void Decode(byte* message, Slot slot, int place)
    {
        var matrices = slot.Weights + place * _unit.MatrixShard * ElementBytes;
        var vectors = slot.Weights + (slot.MatrixLength + place * _unit.VectorShard) * ElementBytes;
        Buffer.MemoryCopy(message + MatrixBytes, vectors, VectorBytes, VectorBytes);
        if (_quantizer is null)
        {
            Buffer.MemoryCopy(message, matrices, MatrixBytes, MatrixBytes);
        }
        else if (_precision == ComputePrecision.Fp32)
        {
            _quantizer.Decode(message, (float*)matrices, _unit.MatrixShard);
        }
        else
        {
            _quantizer.DecodeToBfloat16(message, (ushort*)matrices, _unit.MatrixShard);
        }
    }

    private void Convert(float* from, byte* to, long count)
    {
        if (_precision == ComputePrecision.Bf16)
        {
            Bfloat16Memory.FromSingle(from, (ushort*)to, count);
        }
        else
        {
            Buffer.MemoryCopy(from, to, count * sizeof(float), count * sizeof(float));
        }
    }
}
