using Phi.Planning.Shapes;

namespace Phi.Planning.Steps;

/// <summary>What the engine's transfers consist of: collectives, and the passes over memory that encode, decode and sum (src/Phi.Training/Zero).</summary>
internal sealed class TransferCosts
{
    public const string AllGather = "all-gather";
    public const string AllToAll = "all-to-all";
    public const string AllReduce = "all-reduce";
    private readonly JobShape _job;
    private readonly Dictionary<Transfer, IReadOnlyList<Hop>> _hops = [];

    public TransferCosts(JobShape job)
    {
        _job = job;
        (Embedding, Layer, Head) = UnitShape.Of(job);
    }

    public UnitShape Embedding { get; }

    public UnitShape Layer { get; }

    public UnitShape Head { get; }

    public UnitShape Unit(UnitKind kind) => kind switch
    {
        UnitKind.Embedding => Embedding,
        UnitKind.Layer => Layer,
        _ => Head,
    };

    public IReadOnlyList<Hop> Hops(Transfer transfer)
    {
        if (!_hops.TryGetValue(transfer, out var hops))
        {
            hops = transfer.Kind switch
            {
                TransferKind.Gather => Gather(Unit(transfer.Unit), isAcross: true),
                TransferKind.GatherWithin => Gather(Unit(transfer.Unit), isAcross: false),
                TransferKind.Reduce => Reduce(Unit(transfer.Unit)),
                _ => WholeReduction(Unit(transfer.Unit)),
            };
            _hops[transfer] = hops;
        }

        return hops;
    }

    /// <summary>Across groups first, then within: a shard crosses the network once for each group.</summary>
    private List<Hop> Gather(UnitShape unit, bool isAcross)
    {
        var hops = new List<Hop>();
        var decoded = (double)_job.Places * (unit.WeightMessage + unit.ShardLength * _job.ElementBytes);
        if (_job.Stage > 0 && _job.Groups > 1 && isAcross)
        {
            hops.Add(new Hop(AllGather, HopScope.AcrossGroups, unit.WeightMessage, 0, 0));
        }

        if (_job.Stage > 0 && _job.GroupSize > 1)
        {
            hops.Add(new Hop(AllGather, HopScope.Group, _job.Groups * unit.WeightMessage, 0, 0));
        }

        return hops is [] ? [new Hop(AllGather, HopScope.Group, 0, 0, decoded)] : [.. hops[..^1], hops[^1] with { PassedAfter = decoded }];
    }

    /// <summary>Within groups first, then across; sums are fp32.</summary>
    private List<Hop> Reduce(UnitShape unit)
    {
        var hops = new List<Hop>();
        var (gradients, sums) = ((double)_job.Places * unit.ShardLength * _job.ElementBytes, (double)unit.ShardLength * sizeof(float));
        var isWithin = _job.GroupSize > 1;
        if (isWithin)
        {
            var received = (double)_job.Ranks * unit.WithinMessage;
            hops.Add(new Hop(AllToAll, HopScope.Group, _job.Groups * unit.WithinMessage, gradients + received, received + _job.Groups * sums));
        }

        if (_job.Groups > 1)
        {
            var received = (double)_job.Groups * unit.AcrossMessage;
            hops.Add(new Hop(AllToAll, HopScope.AcrossGroups, unit.AcrossMessage, (isWithin ? _job.Groups * sums : gradients) + received, received + 3 * sums));
        }

        return hops is [] ? [new Hop(AllToAll, HopScope.Group, 0, 0, gradients + 2 * sums)] : hops;
    }

    /// <summary>Stage 0: every rank has the whole unit in fp32.</summary>
    private List<Hop> WholeReduction(UnitShape unit)
    {
        var bytes = unit.ShardLength * sizeof(float);
        return [new Hop(AllReduce, HopScope.World, _job.Ranks > 1 ? (bytes + _job.Ranks - 1) / _job.Ranks : 0, 0, 3.0 * bytes, Rounds: 2)];
    }
}
