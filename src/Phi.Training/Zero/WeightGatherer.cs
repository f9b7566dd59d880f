using Phi.Training.Devices;

namespace Phi.Training.Zero;

/// <summary>
/// One unit's weights on their way. The shard is encoded once after each update: in the precision of the compute, or as INT8 codes with
/// scales (qwZ); vectors are never quantised. A gather brings the shards of this local rank across nodes, then those of the node
/// together. What came across is the secondary shard: with hpZ it stays until the next update, so that the backward pass never leaves
/// the node.
/// </summary>
internal sealed class WeightGatherer : IDisposable
{
    private readonly IDevice _device;
    private readonly ShardedUnit _unit;
    private readonly ZeroTopology _topology;
    private readonly IBlockQuantizer? _quantizer;
    private readonly ComputePrecision _precision;
    private readonly MessageLayout _layout;
    private readonly bool _keepsSecondary;
    private readonly DeviceBytes _message;
    private readonly DeviceBytes? _secondary;
    private readonly CommunicationScratch _scratch;
    private bool _hasSecondary;

    public WeightGatherer(IDevice device, ShardedUnit unit, ZeroTopology topology, ZeroConfiguration configuration, ComputePrecision precision, CommunicationScratch scratch)
    {
        (_device, _unit, _topology, _precision, _scratch) = (device, unit, topology, precision, scratch);
        _quantizer = configuration.WeightBlock > 0 ? device.CreateQuantizer(8, configuration.WeightBlock) : null;
        _keepsSecondary = configuration.SecondaryShards;
        _layout = MessageLayout.Of(unit, _quantizer, precision);
        _message = new DeviceBytes(device, _layout.Length);
        if (topology is { IsSharded: true, Across: not null })
        {
            _secondary = _keepsSecondary ? new DeviceBytes(device, topology.Nodes * _layout.Length) : scratch.Across;
            _secondary.Reserve(topology.Nodes * _layout.Length);
        }

        scratch.Received.Reserve(topology.Places * _layout.Length);
    }

    /// <summary>Call after the shard's weights have changed.</summary>
    public void Encode()
    {
        _hasSecondary = false;
        if (_quantizer is not null)
        {
            _quantizer.Encode(_unit.Weights.Address, ComputePrecision.Fp32, _message.Address, _unit.MatrixShard);
        }
        else
        {
            _device.Convert(_unit.Weights.Address, ComputePrecision.Fp32, _message.Address, _precision, _unit.MatrixShard);
        }

        _device.Convert(_unit.Weights.At(_unit.MatrixShard), ComputePrecision.Fp32, _message.Address + (nint)_layout.VectorsAt, _precision, _unit.VectorShard);
    }

    /// <summary>Fills the slot with the whole unit. Collective.</summary>
    public void Gather(Slot slot)
    {
        var mine = _message.Address;
        var length = _layout.Length;
        if (_secondary is not null)
        {
            if (!_hasSecondary)
            {
                _scratch.Wait(_topology.Across!.AllGather(mine, _secondary.Address, length));
                _hasSecondary = _keepsSecondary;
            }

            mine = _secondary.Address;
            length = _topology.Nodes * _layout.Length;
        }

        if (_topology is { IsSharded: true, Node: { } node })
        {
            _scratch.Wait(node.AllGather(mine, _scratch.Received.Address, length));
            mine = _scratch.Received.Address;
        }

        for (var place = 0; place < _topology.Places; place++)
        {
            Decode(mine + (nint)(place * _layout.Length), slot, place);
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

    private void Decode(nint message, Slot slot, int place)
    {
        var matrices = slot.WeightsAt(place * _unit.MatrixShard);
        if (_quantizer is not null)
        {
            _quantizer.Decode(message, matrices, _precision, _unit.MatrixShard);
        }
        else
        {
            _device.Copy(message, matrices, _unit.MatrixShard * _precision.ElementBytes);
        }

        _device.Copy(message + (nint)_layout.VectorsAt, slot.WeightsAt(slot.MatrixLength + place * _unit.VectorShard), _unit.VectorShard * _precision.ElementBytes);
    }
}
