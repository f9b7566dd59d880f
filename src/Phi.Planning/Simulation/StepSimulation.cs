using Phi.Planning.Hardware;
using Phi.Planning.Shapes;
using Phi.Planning.Steps;

namespace Phi.Planning.Simulation;

/// <summary>One step under way. Times are seconds since its start.</summary>
internal sealed class StepSimulation
{
    /// <summary>Reads of weight, gradient and moments, writes of weight and moments, and the norm's read of the gradient; bytes of an element.</summary>
    private const int UpdateBytes = 8 * sizeof(float);
    private readonly JobShape _job;
    private readonly Machine _machine;
    private readonly StepProgram _program;
    private readonly TransferCosts _costs;
    private readonly Dictionary<HopScope, IReadOnlyList<PeerSet>> _sets;
    private Jitter _jitter;
    /// <summary>By rank: when its compute, and its communication stream, are free.</summary>
    private readonly double[] _compute;
    private readonly double[] _stream;
    /// <summary>By node: when its adapter is free.</summary>
    private readonly double[] _adapter;
    private readonly double[][] _done;
    private double _computed;
    private double _waited;
    private double _communicated;

    /// <param name="ranks">The first so many are played; the others are taken to do as these do.</param>
    public StepSimulation(JobShape job, Machine machine, StepProgram program, int ranks, ulong seed)
    {
        (_job, _machine, _program, _costs) = (job, machine, program, new TransferCosts(job));
        var placement = new Placement(job);
        _sets = Enum.GetValues<HopScope>().ToDictionary(scope => scope, scope => PeerSet.Of(placement, scope, ranks));
        _jitter = new Jitter(machine.Jitter, seed);
        (_compute, _stream) = (new double[ranks], new double[ranks]);
        _adapter = new double[placement.Node(ranks - 1) + 1];
        _done = new double[program.Transfers.Count][];
    }

    public StepTime Play()
    {
        foreach (var instruction in _program.Instructions)
        {
            switch (instruction.Kind)
            {
                case InstructionKind.Start:
                    _done[instruction.Transfer] = Transfer(_program.Transfers[instruction.Transfer]);
                    break;
                case InstructionKind.Wait:
                    Wait(_done[instruction.Transfer]);
                    break;
                case InstructionKind.Agree:
                    Agree();
                    break;
                default:
                    Compute(Seconds(instruction));
                    break;
            }
        }

        var ranks = (double)_compute.Length;
        return new StepTime(_compute.Max(), _computed / ranks, _waited / ranks, _communicated / ranks);
    }

    private double Seconds(Instruction instruction)
    {
        var tokens = (double)instruction.Samples * _job.Model.SequenceLength;
        if (instruction.Kind == InstructionKind.Update)
        {
            var elements = _costs.Embedding.ShardLength + _job.Model.Layers * _costs.Layer.ShardLength + _costs.Head.ShardLength;
            return elements * (double)(UpdateBytes + sizeof(float) + _job.ElementBytes) / _machine.Passes;
        }

        if (instruction.Unit == UnitKind.Embedding)
        {
            return 2 * tokens * _job.Model.HiddenSize * _job.ElementBytes / _machine.Passes;
        }

        var forward = tokens * _costs.Unit(instruction.Unit).ForwardOperations / _machine.Flops;
        return instruction.Kind == InstructionKind.Forward ? forward : _job.Recomputes && instruction.Unit == UnitKind.Layer ? 3 * forward : 2 * forward;
    }

    private void Compute(double seconds)
    {
        for (var rank = 0; rank < _compute.Length; rank++)
        {
            var taken = seconds * _jitter.Next();
            _compute[rank] += taken;
            _computed += taken;
        }
    }

    private void Wait(double[] done)
    {
        for (var rank = 0; rank < _compute.Length; rank++)
        {
            _waited += Math.Max(0, done[rank] - _compute[rank]);
            _compute[rank] = Math.Max(_compute[rank], done[rank]);
        }
    }

    private void Agree()
    {
        var latency = (_job.Nodes > 1 ? _machine.NetworkLatency : _machine.LinkLatency) * Math.Log2(Math.Max(2, _job.Ranks));
        Wait([.. Enumerable.Repeat(_compute.Max() + (_job.Ranks > 1 ? latency : 0), _compute.Length)]);
    }

    /// <summary>When it is done, by rank.</summary>
    private double[] Transfer(Transfer transfer)
    {
        var at = new double[_compute.Length];
        for (var rank = 0; rank < at.Length; rank++)
        {
            at[rank] = Math.Max(_compute[rank], _stream[rank]);
            _communicated -= at[rank];
        }

        foreach (var hop in _costs.Hops(transfer))
        {
            Pass(at, hop.PassedBefore);
            if (hop.Message > 0)
            {
                Exchange(at, hop);
            }

            Pass(at, hop.PassedAfter);
        }

        for (var rank = 0; rank < at.Length; rank++)
        {
            _stream[rank] = at[rank];
            _communicated += at[rank];
        }

        return at;
    }

    private void Pass(double[] at, double bytes)
    {
        var seconds = bytes / _machine.Passes;
        for (var rank = 0; seconds > 0 && rank < at.Length; rank++)
        {
            at[rank] += seconds;
        }
    }

    /// <summary>Who is there first is served first.</summary>
    private void Exchange(double[] at, Hop hop)
    {
        foreach (var (set, start) in _sets[hop.Scope].Select(set => (Set: set, Start: set.Last(at))).OrderBy(one => one.Start))
        {
            var bytes = (double)hop.Message * hop.Rounds;
            var ended = set.SameNode > 0 ? start + set.SameNode * (bytes / _machine.Link + hop.Rounds * _machine.LinkLatency) : start;
            if (set.OtherNodes > 0)
            {
                var began = start;
                foreach (var node in set.Nodes)
                {
                    began = Math.Max(began, _adapter[node]);
                }

                var busy = set.RanksOfNode * set.OtherNodes * bytes / _machine.Network;
                foreach (var node in set.Nodes)
                {
                    _adapter[node] = began + busy;
                }

                ended = Math.Max(ended, began + busy + set.OtherNodes * hop.Rounds * _machine.NetworkLatency);
            }

            foreach (var rank in set.Ranks)
            {
                at[rank] = ended;
            }
        }
    }
}
