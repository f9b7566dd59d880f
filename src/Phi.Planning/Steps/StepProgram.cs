using Phi.Planning.Shapes;

namespace Phi.Planning.Steps;

/// <summary>
/// One optimizer step as every rank runs it: the order of computations and collectives, and who waits for what. It follows the engine
/// (Phi.Training's TrainingLoop and PartitionedModel): slots, prefetch, gathers that find the unit still in its slot, and gradients that
/// leave behind the compute. Collectives run one after the other, in the order of their start.
/// </summary>
internal sealed class StepProgram
{
    private readonly JobShape _job;
    private readonly int _ring;
    private readonly int[] _owners;
    private readonly int[] _gathering;
    private readonly int[] _reducing;
    private readonly HashSet<int> _gathered = [];
    private readonly List<Instruction> _instructions = [];
    private readonly List<Transfer> _transfers = [];

    private StepProgram(JobShape job, int passes)
    {
        _job = job;
        _ring = job.Stage == 3 ? Math.Min(Math.Max(job.Prefetch, 1) + 1, job.Model.Layers) : job.Model.Layers;
        _owners = [.. Enumerable.Repeat(-1, _ring + 2)];
        _gathering = [.. _owners];
        _reducing = [.. _owners];
        for (var pass = 0; pass < passes; pass++)
        {
            // The last pass is the one that may be smaller, whichever are left out.
            Pass(job.Samples(pass == passes - 1 ? job.Passes - 1 : pass), pass == passes - 1);
        }

        foreach (var transfer in _reducing)
        {
            Wait(transfer);
        }

        // The loss, the norm.
        _instructions.Add(new Instruction(InstructionKind.Agree));
        _instructions.Add(new Instruction(InstructionKind.Agree));
        _instructions.Add(new Instruction(InstructionKind.Update));
    }

    public IReadOnlyList<Instruction> Instructions => _instructions;

    public IReadOnlyList<Transfer> Transfers => _transfers;

    private int Head => _job.Model.Layers + 1;

    /// <param name="passes">Of the step's, at least 1.</param>
    public static StepProgram Of(JobShape job, int passes) => new(job, passes);

    private void Pass(int samples, bool isLast)
    {
        for (var unit = 0; unit < Head; unit++)
        {
            Gather(unit, +1);
            _instructions.Add(new Instruction(InstructionKind.Forward, Kind(unit), samples));
        }

        for (var unit = Head; unit >= 0; unit--)
        {
            Gather(unit, -1);
            Wait(_reducing[Slot(unit)]);
            if (unit == Head)
            {
                _instructions.Add(new Instruction(InstructionKind.Forward, UnitKind.Head, samples));
            }

            _instructions.Add(new Instruction(InstructionKind.Backward, Kind(unit), samples));
            if (_job.Stage >= 2 || isLast)
            {
                _reducing[Slot(unit)] = Start(new Transfer(_job.Stage == 0 ? TransferKind.AllReduce : TransferKind.Reduce, Kind(unit)));
            }
        }
    }

    private void Gather(int unit, int direction)
    {
        StartGather(unit);
        for (var ahead = 1; ahead <= _job.Prefetch; ahead++)
        {
            var next = unit + ahead * direction;
            if (next >= 0 && next <= Head && Slot(next) != Slot(unit))
            {
                StartGather(next);
            }
        }

        Wait(_gathering[Slot(unit)]);
    }

    private void StartGather(int unit)
    {
        var slot = Slot(unit);
        if (_owners[slot] == unit)
        {
            return;
        }

        _owners[slot] = unit;
        var isFirst = _gathered.Add(unit) || !_job.SecondaryShards;
        _gathering[slot] = Start(new Transfer(isFirst ? TransferKind.Gather : TransferKind.GatherWithin, Kind(unit)));
    }

    private int Start(Transfer transfer)
    {
        _transfers.Add(transfer);
        _instructions.Add(new Instruction(InstructionKind.Start, transfer.Unit, 0, _transfers.Count - 1));
        if (_job.Prefetch == 0)
        {
            Wait(_transfers.Count - 1);
        }

        return _transfers.Count - 1;
    }

    private void Wait(int transfer)
    {
        if (transfer >= 0)
        {
            _instructions.Add(new Instruction(InstructionKind.Wait, UnitKind.None, 0, transfer));
        }
    }

    private int Slot(int unit) => unit == 0 ? 0 : unit == Head ? _ring + 1 : 1 + (unit - 1) % _ring;

    private UnitKind Kind(int unit) => unit == 0 ? UnitKind.Embedding : unit == Head ? UnitKind.Head : UnitKind.Layer;
}
