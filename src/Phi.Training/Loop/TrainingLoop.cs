using System.Diagnostics;
using System.Numerics.Tensors;
using Phi.Collectives;
using Phi.Training.Data;
using Phi.Training.Kernels;
using Phi.Training.Model;
using Phi.Training.Zero;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using Tensor = TorchSharp.torch.Tensor;

namespace Phi.Training.Loop;

/// <summary>
/// ZeRO-3 (arXiv 1910.02054, section 5.3) by segmented autograd. Phases of a step, for each micro-batch:
/// forward: gather each unit into its slot, run it, cut the graph at its output;
/// backward, unit by unit from the head: gather again if the slot was reused, run its part of the graph, reduce-scatter its gradient;
/// then once: the global norm, and AdamW on this rank's shards.
/// Layers share a ring of slots; embedding and head have their own. One thread calls everything.
/// </summary>
public sealed class TrainingLoop : IDisposable
{
    private const int RingSize = 3;
    private readonly TrainingConfiguration _configuration;
    private readonly ICommunicator _group;
    private readonly TokenDataset _data;
    private readonly PhiForward _forward;
    private readonly ShardedUnit[] _units;
    private readonly Slot[] _ring;
    private readonly Slot _embedding;
    private readonly Slot _head;
    private readonly NativeBuffer _reduced;
    private readonly int _accumulation;

    public TrainingLoop(TrainingConfiguration configuration, ICommunicator group, TokenDataset data)
    {
        _configuration = configuration;
        _group = group;
        _data = data;
        _accumulation = configuration.AccumulationSteps(group.WorldSize);
        set_num_threads(configuration.Threads);
        _forward = new PhiForward(configuration.Model);
        _units = [.. UnitLayout.Of(configuration.Model).Select((layout, i) => new ShardedUnit(layout, i, group, configuration.Seed))];
        _ring = [.. Enumerable.Range(0, Math.Min(RingSize, Layers)).Select(_ => NewSlot(_units[1]))];
        _embedding = NewSlot(_units[0]);
        _head = NewSlot(_units[^1]);
        _reduced = new NativeBuffer(_units.Max(unit => unit.ShardLength));
    }

    /// <summary>Steps done. Set only when a checkpoint is loaded into <see cref="Units"/>.</summary>
    public long CompletedSteps { get; set; }

    /// <summary>This rank's shards: what a checkpoint holds.</summary>
    public IReadOnlyList<ShardedUnit> Units => _units;

    private int Layers => _configuration.Model.Layers;

    private int HeadUnit => Layers + 1;

    public StepResult Step()
    {
        var started = Stopwatch.GetTimestamp();
        ForgetGatheredWeights();
        foreach (var unit in _units)
        {
            unit.Gradients.Span.Clear();
        }

        var localLoss = 0f;
        for (var pass = 0; pass < _accumulation; pass++)
        {
            localLoss += ForwardBackward(pass);
        }

        var loss = Sum(localLoss) / (_group.WorldSize * _accumulation);
        var mean = 1f / (_group.WorldSize * _accumulation);
        var norm = GradientNorm() * mean;
        var rate = _configuration.Optimizer.LearningRate * _configuration.Schedule.Factor(CompletedSteps);
        CompletedSteps++;
        Update(rate, mean * ClipFactor(norm));
        var tokens = (long)_configuration.GlobalBatch * _configuration.Model.SequenceLength;
        return new StepResult(CompletedSteps, loss, rate, norm, tokens, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    public void Dispose()
    {
        _forward.Dispose();
        _reduced.Dispose();
        foreach (var owned in (IEnumerable<IDisposable>)[.. _units, .. _ring, _embedding, _head])
        {
            owned.Dispose();
        }
    }

    /// <summary>The mean loss of this rank's micro-batch; its gradient is added to the shards.</summary>
    private float ForwardBackward(int pass)
    {
        using var scope = NewDisposeScope();
        var (inputs, targets) = Batch(pass);
        var embedded = _forward.Embed(inputs, Gather(0).Parameters);
        var entries = new Tensor[Layers + 1];
        var exits = new Tensor[Layers];
        entries[0] = embedded.detach().requires_grad_();
        for (var i = 0; i < Layers; i++)
        {
            exits[i] = _forward.Layer(entries[i], Gather(i + 1).Parameters);
            entries[i + 1] = exits[i].detach().requires_grad_();
        }

        var head = Gather(HeadUnit);
        head.ClearGradients();
        var loss = F.cross_entropy(_forward.Head(entries[Layers], head.Parameters), targets);
        loss.backward();
        Reduce(HeadUnit, head);
        for (var i = Layers - 1; i >= 0; i--)
        {
            Backward(i + 1, exits[i], entries[i + 1]);
        }

        Backward(0, embedded, entries[0]);
        return loss.item<float>();
    }

    private void Backward(int unit, Tensor exit, Tensor entry)
    {
        var slot = Gather(unit);
        slot.ClearGradients();
        using var gradient = entry.grad!;
        autograd.backward([exit], [gradient]);
        Reduce(unit, slot);
    }

    private Slot Gather(int index)
    {
        var slot = SlotOf(index);
        if (slot.Owner != index)
        {
            var unit = _units[index];
            _group.AllGather(unit.Weights.Address, slot.WeightsAddress, unit.ShardLength * sizeof(float)).Wait();
            slot.Owner = index;
        }

        return slot;
    }

    private void Reduce(int index, Slot slot)
    {
        var unit = _units[index];
        _group.ReduceScatter(slot.GradientsAddress, _reduced.Address, unit.ShardLength).Wait();
        var gradients = unit.Gradients.Span;
        TensorPrimitives.Add(gradients, _reduced.Span[..gradients.Length], gradients);
    }

    private (Tensor Inputs, Tensor Targets) Batch(int pass)
    {
        int micro = _configuration.MicroBatch, length = _configuration.Model.SequenceLength;
        var inputs = new long[micro * length];
        var targets = new long[micro * length];
        var window = new long[length + 1];
        for (var i = 0; i < micro; i++)
        {
            // Consecutive samples of the global batch go to consecutive ranks' micro-batches.
            var sample = ((long)pass * _group.WorldSize + _group.Rank) * micro + i;
            _data.CopySample(_configuration.Seed, CompletedSteps, sample, window);
            window.AsSpan(0, length).CopyTo(inputs.AsSpan(i * length));
            window.AsSpan(1, length).CopyTo(targets.AsSpan(i * length));
        }

        return (tensor(inputs, [micro, length]), tensor(targets, [micro * length]));
    }

    /// <summary>Norm of the summed gradient. Squares are added by unit within a rank, then by rank.</summary>
    private float GradientNorm()
    {
        var squares = 0f;
        foreach (var unit in _units)
        {
            squares += TensorPrimitives.SumOfSquares<float>(unit.Gradients.Span);
        }

        return MathF.Sqrt(Sum(squares));
    }

    private unsafe float Sum(float value)
    {
        _group.AllReduce((nint)(&value), 1).Wait();
        return value;
    }

    private float ClipFactor(float norm) =>
        _configuration.Optimizer.ClipNorm > 0 && norm > _configuration.Optimizer.ClipNorm ? _configuration.Optimizer.ClipNorm / norm : 1;

    private unsafe void Update(float rate, float gradientScale)
    {
        foreach (var unit in _units)
        {
            _configuration.Optimizer.Update(unit.Weights.Pointer, unit.Gradients.Pointer, unit.FirstMoments.Pointer, unit.SecondMoments.Pointer, unit.ShardLength, CompletedSteps, rate, gradientScale);
        }
    }

    private void ForgetGatheredWeights()
    {
        foreach (var slot in (IEnumerable<Slot>)[.. _ring, _embedding, _head])
        {
            slot.Owner = -1;
        }
    }

    private Slot SlotOf(int unit) => unit == 0 ? _embedding : unit == HeadUnit ? _head : _ring[(unit - 1) % _ring.Length];

    private Slot NewSlot(ShardedUnit unit) => new(unit.Layout, unit.ShardLength * _group.WorldSize);
}
