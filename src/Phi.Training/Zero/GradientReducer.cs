using Phi.Collectives;
using Phi.Training.Devices;

namespace Phi.Training.Zero;

/// <summary>
/// Sums one unit's gradient over all ranks into this rank's shard, in two hops: within the node, then across (qgZ, arXiv 2306.10209,
/// section 4.3). A hop of one rank is left out. Sums are fp32, in rank order, and are not divided: the mean is taken once, at the update.
/// </summary>
internal sealed class GradientReducer : IDisposable
{
    private readonly IDevice _device;
    private readonly ShardedUnit _unit;
    private readonly ZeroTopology _topology;
    private readonly CommunicationScratch _scratch;
    private readonly ReductionHop? _within;
    private readonly ReductionHop? _across;

    public GradientReducer(IDevice device, ShardedUnit unit, ZeroTopology topology, ZeroConfiguration configuration, ComputePrecision precision, CommunicationScratch scratch)
    {
        (_device, _unit, _topology, _scratch) = (device, unit, topology, scratch);
        if (topology is { IsSharded: true, Node: { } node })
        {
            _within = NewHop(node, configuration.Gradients?.IntraBits, topology.Nodes);
        }

        if (topology is { IsSharded: true, Across: { } across })
        {
            _across = NewHop(across, configuration.Gradients?.InterBits, 1);
        }

        scratch.Sums.Reserve((topology.Nodes + 1) * unit.ShardLength * sizeof(float));

        ReductionHop NewHop(ICommunicator group, int? bits, int shardsPerPart)
        {
            var quantizer = configuration.Gradients is { } gradients ? device.CreateQuantizer(bits!.Value, gradients.BlockSize) : null;
            return new ReductionHop(device, group, unit, scratch, quantizer, precision, shardsPerPart, configuration.Gradients is { ErrorFeedback: true } && bits == 4);
        }
    }

    /// <summary>Errors that the INT4 hops keep, by the name of the hop; empty without error feedback.</summary>
    public IEnumerable<(string Hop, DeviceBuffer Errors)> Errors =>
        new[] { ("within", _within?.Errors), ("across", _across?.Errors) }.Where(hop => hop.Item2 is not null)!;

    /// <summary>Adds the sum to the shard's gradient. Collective.</summary>
    /// <param name="matrices">[places × matrixShard], and <paramref name="vectors"/> [places × vectorShard], in <paramref name="precision"/>.</param>
    public void Reduce(nint matrices, nint vectors, ComputePrecision precision)
    {
        if (_within is not null && _across is not null && _within.CanFeed(_across))
        {
            _within.Encode(matrices, vectors, precision);
            _within.Exchange();
            _within.SumInto(_across);
            _across.Exchange();
            _across.Sum(SumsAt(0), SumsAt(_unit.MatrixShard));
            _device.Add(SumsAt(0), _unit.Gradients.Address, _unit.ShardLength);
            return;
        }

        if (_within is not null)
        {
            var partVectors = SumsAt(_topology.Nodes * _unit.MatrixShard);
            _within.Encode(matrices, vectors, precision);
            _within.Exchange();
            _within.Sum(SumsAt(0), partVectors);
            (matrices, vectors, precision) = (SumsAt(0), partVectors, ComputePrecision.Fp32);
        }

        if (_across is not null)
        {
            var shard = _topology.Nodes * _unit.ShardLength;
            _across.Encode(matrices, vectors, precision);
            _across.Exchange();
            _across.Sum(SumsAt(shard), SumsAt(shard + _unit.MatrixShard));
            (matrices, vectors, precision) = (SumsAt(shard), SumsAt(shard + _unit.MatrixShard), ComputePrecision.Fp32);
        }

        Add(matrices, precision, _unit.Gradients.Address, _unit.MatrixShard);
        Add(vectors, precision, _unit.Gradients.At(_unit.MatrixShard), _unit.VectorShard);
    }

    public void Dispose()
    {
        _within?.Dispose();
        _across?.Dispose();
    }

    private nint SumsAt(long index) => _scratch.Sums.Address + (nint)(index * sizeof(float));

    private void Add(nint values, ComputePrecision precision, nint sums, long count)
    {
        if (precision != ComputePrecision.Fp32)
        {
            _device.Convert(values, precision, SumsAt(0), ComputePrecision.Fp32, count);
            values = SumsAt(0);
        }

        _device.Add(values, sums, count);
    }
}
