using System.Diagnostics;
using System.Numerics.Tensors;
using Phi.Collectives;
using Phi.Training.Data;
using Phi.Training.Kernels;
using Phi.Training.Model;
using Phi.Training.Optimizer;
using Phi.Training.Zero;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using Tensor = TorchSharp.torch.Tensor;

namespace Phi.Training.Loop;

/// <summary>
/// ZeRO (arXiv 1910.02054) by segmented autograd. Phases of a step, for each micro-batch:
/// forward: gather each unit into its slot, run it, cut the graph at its output;
/// backward, unit by unit from the head: gather again if the slot was reused, run its part of the graph, reduce its gradient;
/// then once: the global norm, and AdamW on this rank's shards.
/// Gathers run ahead of the compute and reductions behind it. One thread calls everything.
/// </summary>
public sealed class TrainingLoop : IDisposable
{
    /// <summary>No step that a run reaches.</summary>
    private const long EvaluationStream = -1;
    private readonly TrainingConfiguration _configuration;
    private readonly ICommunicator _group;
    private readonly TokenDataset _data;
    private readonly PhiForward _forward;
    private readonly PartitionedModel _model;
    private readonly int _accumulation;

    public TrainingLoop(TrainingConfiguration configuration, ICommunicator group, TokenDataset data)
    {
        _configuration = configuration;
        _group = group;
        _data = data;
        _accumulation = configuration.AccumulationSteps(group.WorldSize);
        set_num_threads(configuration.Threads);
        _forward = new PhiForward(configuration.Model, configuration.Precision);
        _model = new PartitionedModel(configuration.Model, configuration.Zero, configuration.Precision, group, configuration.Seed);
    }

    /// <summary>Steps done. Set only when a checkpoint is loaded into <see cref="State"/>.</summary>
    public long CompletedSteps { get; set; }

    /// <summary>This rank's shard is one of so many; in stage 0 all ranks hold the one there is.</summary>
    public int Shards => _model.Topology.Places;

    /// <summary>Which of the shards this rank holds.</summary>
    public int ShardIndex => _model.Topology.Place;

    /// <summary>This rank's shards.</summary>
    public IReadOnlyList<ShardedUnit> Units => _model.Units;

    /// <summary>What a checkpoint holds of this rank, by name: shards of weights and moments, and the errors of qgZ's feedback.</summary>
    public unsafe IEnumerable<StateTensor> State()
    {
        foreach (var (unit, reducer) in _model.Units.Zip(_model.Reducers))
        {
            foreach (var (kind, buffer) in new[] { ("weights", unit.Weights), ("first_moments", unit.FirstMoments), ("second_moments", unit.SecondMoments) })
            {
                yield return StateOf($"{unit.Layout.Name}.matrices.{kind}", buffer, 0, unit.MatrixShard);
                if (unit.VectorShard > 0)
                {
                    yield return StateOf($"{unit.Layout.Name}.vectors.{kind}", buffer, unit.MatrixShard, unit.VectorShard);
                }
            }

            foreach (var (hop, errors) in reducer.Errors)
            {
                yield return StateOf($"{unit.Layout.Name}.errors_{hop}", errors, 0, errors.Length);
            }
        }
    }

    /// <summary>Bytes of this rank's weights, gradients and optimizer states.</summary>
    public long StateBytes => _model.StateBytes;

    /// <summary>Bytes of gathered weights and their gradients.</summary>
    public long SlotBytes => _model.SlotBytes;

    /// <summary>Time of communication, and the part of it that the compute waited for, since the start.</summary>
    public (TimeSpan Busy, TimeSpan Exposed) CommunicationTime => (_model.Stream.Busy, _model.Stream.Exposed);

    private int Layers => _configuration.Model.Layers;

    private int HeadUnit => Layers + 1;

    public StepResult Step()
    {
        var started = Stopwatch.GetTimestamp();
        _model.Encode();
        _model.ClearGradients();
        var localLoss = 0f;
        for (var pass = 0; pass < _accumulation; pass++)
        {
            localLoss += ForwardBackward(pass);
        }

        _model.WaitForReductions();
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
        _model.Dispose();
        _forward.Dispose();
    }

    /// <summary>
    /// Mean loss of the current weights over samples of held-out data, nats per token. The samples are the same at every step and for
    /// every world size. Collective.
    /// </summary>
    public float Evaluate(TokenDataset heldOut, int samples)
    {
        _model.Encode();
        using var noGradient = no_grad();
        var perPass = _configuration.MicroBatch * _group.WorldSize;
        var sum = 0f;
        for (var first = 0; first < samples; first += perPass)
        {
            using var scope = NewDisposeScope();
            // Every rank takes part in every gather; samples past the end do not count.
            var mine = first + _group.Rank * _configuration.MicroBatch;
            var counted = Math.Clamp(samples - mine, 0, _configuration.MicroBatch);
            var (inputs, targets) = Batch(heldOut, EvaluationStream, mine);
            var x = _forward.Embed(inputs, _model.Gather(0, +1).Parameters);
            for (var i = 0; i < Layers; i++)
            {
                x = _forward.Layer(x, _model.Gather(i + 1, +1).Parameters);
            }

            var logits = _forward.Head(x, _model.Gather(HeadUnit, -1).Parameters);
            var tokens = counted * (long)_configuration.Model.SequenceLength;
            if (tokens > 0)
            {
                sum += F.cross_entropy(logits.narrow(0, 0, tokens), targets.narrow(0, 0, tokens)).item<float>() * counted;
            }
        }

        return Sum(sum) / samples;
    }

    /// <summary>The mean loss of this rank's micro-batch; its gradient is added to the shards.</summary>
    private float ForwardBackward(int pass)
    {
        using var scope = NewDisposeScope();
        // Consecutive samples of the global batch go to consecutive ranks' micro-batches.
        var (inputs, targets) = Batch(_data, CompletedSteps, ((long)pass * _group.WorldSize + _group.Rank) * _configuration.MicroBatch);
        var isLast = pass == _accumulation - 1;
        var exits = new Tensor?[Layers + 1];
        var entries = new Tensor[Layers + 1];
        exits[0] = _forward.Embed(inputs, _model.Gather(0, +1).Parameters);
        entries[0] = exits[0]!.detach().requires_grad_();
        for (var i = 0; i < Layers; i++)
        {
            exits[i + 1] = Forward(i, entries[i]);
            entries[i + 1] = exits[i + 1]!.detach().requires_grad_();
        }

        var head = _model.Gather(HeadUnit, -1);
        _model.PrepareGradients(head);
        var loss = F.cross_entropy(_forward.Head(entries[Layers], head.Parameters), targets);
        loss.backward();
        _model.Reduce(HeadUnit, head, isLast);
        for (var unit = Layers; unit >= 0; unit--)
        {
            Backward(unit, unit > 0 ? entries[unit - 1] : null, exits[unit]!, entries[unit], isLast);
        }

        return loss.item<float>();
    }

    private Tensor Forward(int layer, Tensor entry)
    {
        var parameters = _model.Gather(layer + 1, +1).Parameters;
        if (!_configuration.ActivationCheckpointing)
        {
            return _forward.Layer(entry, parameters);
        }

        using var noGradient = no_grad();
        return _forward.Layer(entry, parameters);
    }

    private void Backward(int unit, Tensor? entry, Tensor exit, Tensor nextEntry, bool isLastPass)
    {
        var slot = _model.Gather(unit, -1);
        _model.PrepareGradients(slot);
        using var gradient = nextEntry.grad!;
        using var scope = NewDisposeScope();
        if (entry is not null && _configuration.ActivationCheckpointing)
        {
            exit = _forward.Layer(entry, slot.Parameters);
        }

        autograd.backward([exit], [gradient]);
        _model.Reduce(unit, slot, isLastPass);
    }

    private (Tensor Inputs, Tensor Targets) Batch(TokenDataset data, long step, long firstSample)
    {
        int micro = _configuration.MicroBatch, length = _configuration.Model.SequenceLength;
        var inputs = new long[micro * length];
        var targets = new long[micro * length];
        var window = new long[length + 1];
        for (var i = 0; i < micro; i++)
        {
            data.CopySample(_configuration.Seed, step, firstSample + i, window);
            window.AsSpan(0, length).CopyTo(inputs.AsSpan(i * length));
            window.AsSpan(1, length).CopyTo(targets.AsSpan(i * length));
        }

        return (tensor(inputs, [micro, length]), tensor(targets, [micro * length]));
    }

    /// <summary>Norm of the summed gradient. Squares are added by unit within a rank, then by rank.</summary>
    private float GradientNorm()
    {
        var squares = 0f;
        foreach (var unit in Units)
        {
            squares += TensorPrimitives.SumOfSquares<float>(unit.Gradients.Span);
        }

        return MathF.Sqrt(_model.Topology.IsSharded ? Sum(squares) : squares);
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
        var step = new AdamWStep(_configuration.Optimizer, CompletedSteps, rate, gradientScale);
        foreach (var unit in Units)
        {
            AdamW.Update(step, unit.Weights.Pointer, unit.Gradients.Pointer, unit.FirstMoments.Pointer, unit.SecondMoments.Pointer, unit.ShardLength);
        }
    }

    private static unsafe StateTensor StateOf(string name, NativeBuffer buffer, long start, long length) => new(name, (nint)(buffer.Pointer + start), length);
}
