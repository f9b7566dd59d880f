using Phi.Collectives;
using Phi.Training.Devices;

namespace Phi.Training.Zero;

/// <summary>
/// The model's units as ZeRO has them: this rank's shards, slots that hold gathered units, and the traffic between the two on a
/// communication stream. In stage 3 layers share a ring of slots; below it every unit has its own, and is gathered once after an update.
/// One thread calls everything.
/// </summary>
internal sealed class PartitionedModel : IDisposable
{
    private readonly IDevice _device;
    private readonly ZeroConfiguration _configuration;
    private readonly ZeroTopology _topology;
    private readonly CommunicationScratch _scratch;
    private readonly CommunicationStream _stream;
    private readonly ShardedUnit[] _units;
    private readonly WeightGatherer[] _gatherers;
    private readonly GradientReducer[] _reducers;
    private readonly Slot[] _slots;
    private readonly DeviceBuffer[] _accumulated;

    /// <param name="world">Moves the device's memory.</param>
    public PartitionedModel(IDevice device, ModelConfiguration model, ZeroConfiguration configuration, ComputePrecision precision, ICommunicator world, long seed)
    {
        configuration.Validate(world.WorldSize);
        _device = device;
        _configuration = configuration;
        _scratch = new CommunicationScratch(device);
        _topology = new ZeroTopology(world, configuration);
        _stream = new CommunicationStream(device, configuration.Prefetch > 0 && world.WorldSize > 1);
        _units = [.. UnitLayout.Of(model).Select((layout, i) => new ShardedUnit(device, layout, i, _topology.Place, _topology.Places, configuration.Alignment, seed))];
        _gatherers = [.. _units.Select(unit => new WeightGatherer(device, unit, _topology, configuration, precision, _scratch))];
        _reducers = [.. _units.Select(unit => new GradientReducer(device, unit, _topology, configuration, precision, _scratch))];
        // Embedding, the layers' ring, head.
        // One computes, the others are filled ahead; a gradient leaves from its slot while the slot's weights are already another's.
        var ring = configuration.Stage == 3 ? Math.Min(Math.Max(configuration.Prefetch, 1) + 1, model.Layers) : model.Layers;
        _slots = [NewSlot(_units[0]), .. Enumerable.Range(0, ring).Select(_ => NewSlot(_units[1])), NewSlot(_units[^1])];
        _accumulated = configuration.Stage == 1 ? [.. _units.Select(unit => new DeviceBuffer(device, _topology.Places * unit.ShardLength))] : [];
        if (configuration.Stage < 2 && precision != ComputePrecision.Fp32)
        {
            _scratch.Values.Reserve(_topology.Places * _units.Max(unit => unit.ShardLength) * sizeof(float));
        }

        Slot NewSlot(ShardedUnit unit) => new(device, unit, _topology.Places, precision);
    }

    public IReadOnlyList<ShardedUnit> Units => _units;

    public IReadOnlyList<GradientReducer> Reducers => _reducers;

    public ZeroTopology Topology => _topology;

    public CommunicationStream Stream => _stream;

    /// <summary>Bytes of weights, gradients and both moments that this rank keeps.</summary>
    public long StateBytes => 4 * sizeof(float) * _units.Sum(unit => unit.ShardLength) + _accumulated.Sum(buffer => buffer.Length) * sizeof(float);

    /// <summary>Bytes of gathered weights and their gradients.</summary>
    public long SlotBytes => _slots.Sum(slot => slot.Bytes);

    /// <summary>Call after weights have changed, before the next gather.</summary>
    public void Encode()
    {
        // A gather that was started ahead and never needed may still read the messages.
        foreach (var slot in _slots)
        {
            _stream.Wait(slot.Gathering);
        }

        foreach (var gatherer in _gatherers)
        {
            gatherer.Encode();
        }

        foreach (var slot in _slots)
        {
            slot.Owner = -1;
        }
    }

    public void ClearGradients()
    {
        foreach (var buffer in _units.Select(unit => unit.Gradients).Concat(_accumulated))
        {
            buffer.Clear();
        }
    }

    /// <summary>Forgets what error feedback has kept: it is in units of another loss scale, or no numbers.</summary>
    public void ClearErrors()
    {
        foreach (var (_, errors) in _reducers.SelectMany(reducer => reducer.Errors))
        {
            errors.Clear();
        }
    }

    /// <summary>Makes the shards what they were at first.</summary>
    public void Restart(long seed)
    {
        foreach (var (index, unit) in _units.Index())
        {
            unit.Restart(index, seed);
        }

        ClearErrors();
    }

    /// <summary>The slot that holds the unit; waits for it. Units that come next in this direction are started behind it.</summary>
    /// <param name="direction">+1 in the forward pass, -1 in the backward pass.</param>
    public Slot Gather(int unit, int direction)
    {
        Start(unit);
        for (var ahead = 1; ahead <= _configuration.Prefetch; ahead++)
        {
            var next = unit + ahead * direction;
            if (next >= 0 && next < _units.Length && SlotOf(next) != SlotOf(unit))
            {
                Start(next);
            }
        }

        var slot = SlotOf(unit);
        _stream.Wait(slot.Gathering);
        return slot;
    }

    /// <summary>Waits until the slot's last gradient is on its way, and makes room for the next.</summary>
    public void PrepareGradients(Slot slot)
    {
        _stream.Wait(slot.Reducing);
        slot.ClearGradients();
    }

    /// <summary>Starts the reduction of the slot's gradient.</summary>
    public void Reduce(int unit, Slot slot, bool isLastPass)
    {
        slot.Reducing = _stream.Start(_configuration.Stage switch
        {
            >= 2 => () => _reducers[unit].Reduce(slot.GradientsAt(0), slot.GradientsAt(slot.MatrixLength), slot.Precision),
            1 => () => Accumulate(unit, slot, isLastPass),
            _ => () => AllReduce(unit, slot, isLastPass),
        });
    }

    /// <summary>Returns when every shard's gradient is whole.</summary>
    public void WaitForReductions()
    {
        foreach (var slot in _slots)
        {
            _stream.Wait(slot.Reducing);
        }
    }

    /// <summary>Call when the device has done its work: throws if a collective was cut off, and memory is not what it should be.</summary>
    public void Confirm() => _scratch.Newest.Wait();

    public void Dispose()
    {
        _stream.Dispose();
        foreach (var owned in (IEnumerable<IDisposable>)[.. _units, .. _gatherers, .. _reducers, .. _slots, .. _accumulated, _scratch])
        {
            owned.Dispose();
        }
    }

    private void Start(int unit)
    {
        var slot = SlotOf(unit);
        if (slot.Owner != unit)
        {
            slot.Owner = unit;
            slot.Gathering = _stream.Start(() => _gatherers[unit].Gather(slot));
        }
    }

    private void Accumulate(int unit, Slot slot, bool isLastPass)
    {
        var sums = _accumulated[unit];
        AddGradients(slot, sums);
        if (isLastPass)
        {
            _reducers[unit].Reduce(sums.Address, sums.At(slot.MatrixLength), ComputePrecision.Fp32);
        }
    }

    private void AllReduce(int unit, Slot slot, bool isLastPass)
    {
        var sums = _units[unit].Gradients;
        AddGradients(slot, sums);
        if (isLastPass)
        {
            _scratch.Wait(_topology.World.AllReduce(sums.Address, sums.Length));
        }
    }

    private void AddGradients(Slot slot, DeviceBuffer sums)
    {
        var values = slot.GradientsAt(0);
        if (slot.Precision != ComputePrecision.Fp32)
        {
            _device.Convert(values, slot.Precision, _scratch.Values.Address, ComputePrecision.Fp32, sums.Length);
            values = _scratch.Values.Address;
        }

        _device.Add(values, sums.Address, sums.Length);
    }

    private Slot SlotOf(int unit) =>
        unit == 0 ? _slots[0] : unit == _units.Length - 1 ? _slots[^1] : _slots[1 + (unit - 1) % (_slots.Length - 2)];
}
