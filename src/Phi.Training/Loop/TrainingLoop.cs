using System.Diagnostics;
using Phi.Collectives;
using Phi.Training.Data;
using Phi.Training.Devices;
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
    private readonly RankDevice _device;
    private readonly TokenDataset _data;
    private readonly PhiForward _forward;
    private readonly PartitionedModel _model;
    private readonly BatchShare _share;
    private readonly LossScaler? _scaler;
    private readonly DeviceBuffer _squares;
    /// <summary>Of a checkpoint that is being written, and of a copy that is being handed on.</summary>
    private readonly HostBlock[] _copies;
    private Tensor? _lossGradient;
    private float _lossGradientScale;
    private TimeSpan _waited;

    /// <param name="group">Moves the host's memory: small values that all ranks agree on.</param>
    /// <param name="device">Null: the CPU, and the same group.</param>
    public TrainingLoop(TrainingConfiguration configuration, ICommunicator group, TokenDataset data, RankDevice? device = null)
    {
        _configuration = configuration;
        _group = group;
        _device = device ?? new RankDevice(CpuDevice.Instance, group);
        _data = data;
        _share = new BatchShare(configuration.GlobalBatch, configuration.MicroBatch, group.WorldSize, group.Rank);
        set_num_threads(configuration.Threads);
        _forward = new PhiForward(configuration.Model, configuration.Precision, Device.Torch);
        _model = new PartitionedModel(Device, configuration.Model, _device.IsShared ? configuration.Zero with { Prefetch = 0 } : configuration.Zero, configuration.Precision, _device.Group, configuration.Seed);
        _scaler = configuration.Precision == ComputePrecision.Fp16 ? new LossScaler() : null;
        _squares = new DeviceBuffer(Device, _model.Units.Count);
        _copies = [new HostBlock(Device), new HostBlock(Device)];
    }

    /// <summary>Steps done. Set only when a checkpoint is loaded into <see cref="State"/>.</summary>
    public long CompletedSteps { get; set; }

    /// <summary>This rank's shard is one of so many; in stage 0 all ranks hold the one there is.</summary>
    public int Shards => _model.Topology.Places;

    /// <summary>Which of the shards this rank holds.</summary>
    public int ShardIndex => _model.Topology.Place;

    /// <summary>This rank's shards.</summary>
    public IReadOnlyList<ShardedUnit> Units => _model.Units;

    /// <summary>Bytes that this rank has sent for its weights and gradients.</summary>
    public WireStatistics Traffic => _device.Group.Statistics;

    /// <summary>
    /// What a checkpoint holds of this rank, by name: shards of weights and moments, the errors of qgZ's feedback, and fp16's loss scale.
    /// On a GPU it is a copy in the host's memory; so dispose it. Two copies at a time.
    /// </summary>
    public HostState State() => new(Device, [.. DeviceState()], HostedState(), Device is CpuDevice ? null : Free(), isSnapshot: false);

    /// <summary>
    /// The same as a copy, on every device, which stays as it is while the training goes on. Two at a time; the memory of
    /// one that is disposed is kept for the next, page-locked where there is a GPU.
    /// </summary>
    public HostState Snapshot() => new(Device, [.. DeviceState()], HostedState(), Free(), isSnapshot: true);

    /// <summary>Makes weights, moments and all other state what they were before the first step: what a checkpoint that failed half-way left is gone.</summary>
    public void Restart()
    {
        _model.Restart(_configuration.Seed);
        _scaler?.Restart();
        CompletedSteps = 0;
    }

    /// <summary>Bytes of this rank's weights, gradients and optimizer states.</summary>
    public long StateBytes => _model.StateBytes;

    /// <summary>Bytes of gathered weights and their gradients.</summary>
    public long SlotBytes => _model.SlotBytes;

    /// <summary>Time of communication, and the part of it that the compute waited for, since the start.</summary>
    public (TimeSpan Busy, TimeSpan Exposed) CommunicationTime => (_model.Stream.Busy, _model.Stream.Exposed);

    /// <summary>Whether the precision is fp16.</summary>
    public bool IsLossScaled => _scaler is not null;

    /// <summary>Factor of the loss in fp16; 1 in the other precisions.</summary>
    public float LossScale => _scaler?.Scale ?? 1;

    private IDevice Device => _device.Device;

    private TimeSpan Waited => _waited + _model.Stream.Exposed;

    private int Layers => _configuration.Model.Layers;

    private int HeadUnit => Layers + 1;

    public StepResult Step()
    {
        var started = Stopwatch.GetTimestamp();
        var waited = Waited;
        var batch = _configuration.Batch(CompletedSteps);
        _model.Encode();
        _model.ClearGradients();
        using var scope = NewDisposeScope();
        var localLoss = zeros(1, device: Device.Torch);
        for (var pass = 0; pass < _share.Passes; pass++)
        {
            var isLast = pass == _share.Passes - 1;
            if (_share.Of(pass) is (var first, > 0 and var count))
            {
                localLoss.AddInPlace(ForwardBackward(batch, first, count, isLast));
            }
            else
            {
                TakePart(isLast);
            }
        }

        _model.WaitForReductions();
        // Losses and gradients are sums of means over whole micro-batches; a smaller one counts as the part of one that it is.
        var microBatches = (float)_configuration.GlobalBatch / _configuration.MicroBatch;
        var mean = 1 / microBatches;
        var loss = Sum(localLoss.item<float>()) / microBatches;
        var norm = GradientNorm() * (mean / LossScale);
        _model.Confirm();
        var rate = _configuration.Optimizer.LearningRate * _configuration.Schedule.Factor(CompletedSteps);
        CompletedSteps++;
        Update(rate, mean, norm);
        _model.Stream.Collect();
        var tokens = (long)_configuration.GlobalBatch * _configuration.Model.SequenceLength;
        return new StepResult(CompletedSteps, loss, rate, norm, tokens, Stopwatch.GetElapsedTime(started).TotalSeconds, (Waited - waited).TotalSeconds, batch);
    }

    /// <summary>If none is, taking it says so.</summary>
    private HostBlock Free() => Array.Find(_copies, copy => !copy.IsTaken) ?? _copies[0];

    public void Dispose()
    {
        _model.Dispose();
        _forward.Dispose();
        _squares.Dispose();
        Array.ForEach(_copies, copy => copy.Dispose());
        _lossGradient?.Dispose();
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
            var (inputs, targets) = Batch(heldOut, EvaluationStream, mine, _configuration.MicroBatch);
            var x = _forward.Embed(inputs, _model.Gather(0, +1).Parameters);
            for (var i = 0; i < Layers; i++)
            {
                x = _forward.Layer(x, _model.Gather(i + 1, +1).Parameters);
            }

            var logits = _forward.Head(x, _model.Gather(HeadUnit, +1).Parameters);
            var tokens = counted * (long)_configuration.Model.SequenceLength;
            if (tokens > 0)
            {
                sum += F.cross_entropy(logits.narrow(0, 0, tokens), targets.narrow(0, 0, tokens)).item<float>() * counted;
            }
        }

        var loss = Sum(sum) / samples;
        _model.Confirm();
        return loss;
    }

    /// <summary>The mean loss of this rank's samples [1], times the part of a micro-batch that they are; its gradient is added to the shards.</summary>
    private Tensor ForwardBackward(long batch, long firstSample, int count, bool isLast)
    {
        using var scope = NewDisposeScope();
        var part = (float)count / _configuration.MicroBatch;
        var (inputs, targets) = Batch(_data, batch, firstSample, count);
        var dropout = _configuration.Dropout > 0 ? new Dropout(_configuration.Dropout, _configuration.Seed, batch, firstSample) : null;
        var exits = new Tensor?[Layers + 1];
        var entries = new Tensor[Layers + 1];
        exits[0] = _forward.Embed(inputs, _model.Gather(0, +1).Parameters);
        entries[0] = exits[0]!.detach().requires_grad_();
        for (var i = 0; i < Layers; i++)
        {
            exits[i + 1] = Forward(i, entries[i], dropout);
            entries[i + 1] = exits[i + 1]!.detach().requires_grad_();
        }

        var head = _model.Gather(HeadUnit, -1);
        _model.PrepareGradients(head);
        var loss = F.cross_entropy(_forward.Head(entries[Layers], head.Parameters), targets);
        autograd.backward([loss], [LossGradient(LossScale * part)]);
        _model.Reduce(HeadUnit, head, isLast);
        for (var unit = Layers; unit >= 0; unit--)
        {
            Backward(unit, unit > 0 ? entries[unit - 1] : null, exits[unit]!, entries[unit], dropout, isLast);
        }

        var mean = loss.detach().reshape(1);
        return (count < _configuration.MicroBatch ? mean.mul(tensor(part, device: Device.Torch)) : mean).MoveToOuterDisposeScope();
    }

    /// <summary>A pass without samples: every rank takes part in every gather and reduction, in the order of <see cref="ForwardBackward"/>.</summary>
    private void TakePart(bool isLast)
    {
        for (var unit = 0; unit < HeadUnit; unit++)
        {
            _ = _model.Gather(unit, +1);
        }

        for (var unit = HeadUnit; unit >= 0; unit--)
        {
            var slot = _model.Gather(unit, -1);
            _model.PrepareGradients(slot);
            _model.Reduce(unit, slot, isLast);
        }
    }

    /// <summary>The factor of the loss, on the device: made anew only when it changes, since the copy waits for the device.</summary>
    private Tensor LossGradient(float scale)
    {
        if (_lossGradient is null || _lossGradientScale != scale)
        {
            _lossGradient?.Dispose();
            _lossGradientScale = scale;
            _lossGradient = tensor(scale, device: Device.Torch).DetachFromDisposeScope();
        }

        return _lossGradient;
    }

    private Tensor Forward(int layer, Tensor entry, Dropout? dropout)
    {
        var parameters = _model.Gather(layer + 1, +1).Parameters;
        if (!_configuration.ActivationCheckpointing)
        {
            return _forward.Layer(entry, parameters, dropout, layer);
        }

        using var noGradient = no_grad();
        return _forward.Layer(entry, parameters, dropout, layer);
    }

    private void Backward(int unit, Tensor? entry, Tensor exit, Tensor nextEntry, Dropout? dropout, bool isLastPass)
    {
        var slot = _model.Gather(unit, -1);
        _model.PrepareGradients(slot);
        using var gradient = nextEntry.grad!;
        using var scope = NewDisposeScope();
        if (entry is not null && _configuration.ActivationCheckpointing)
        {
            exit = _forward.Layer(entry, slot.Parameters, dropout, unit - 1);
        }

        autograd.backward([exit], [gradient]);
        _model.Reduce(unit, slot, isLastPass);
    }

    private (Tensor Inputs, Tensor Targets) Batch(TokenDataset data, long step, long firstSample, int count)
    {
        var length = _configuration.Model.SequenceLength;
        var inputs = new long[count * length];
        var targets = new long[count * length];
        var window = new long[length + 1];
        for (var i = 0; i < count; i++)
        {
            data.CopySample(_configuration.Seed, step, firstSample + i, window);
            window.AsSpan(0, length).CopyTo(inputs.AsSpan(i * length));
            window.AsSpan(1, length).CopyTo(targets.AsSpan(i * length));
        }

        return (tensor(inputs, [count, length], device: Device.Torch), tensor(targets, [count * length], device: Device.Torch));
    }

    /// <summary>Norm of the summed gradient. Squares are added by unit within a rank, then by rank.</summary>
    private unsafe float GradientNorm()
    {
        for (var i = 0; i < Units.Count; i++)
        {
            Device.SumOfSquares(Units[i].Gradients.Address, Units[i].ShardLength, _squares.At(i));
        }

        var squares = stackalloc float[Units.Count];
        Device.Download(_squares.Address, (nint)squares, Units.Count * sizeof(float));
        var sum = 0f;
        for (var i = 0; i < Units.Count; i++)
        {
            sum += squares[i];
        }

        return MathF.Sqrt(_model.Topology.IsSharded ? Sum(sum) : sum);
    }

    private unsafe float Sum(float value)
    {
        var started = Stopwatch.GetTimestamp();
        _group.AllReduce((nint)(&value), 1).Wait();
        _waited += Stopwatch.GetElapsedTime(started);
        return value;
    }

    private float ClipFactor(float norm) =>
        _configuration.Optimizer.ClipNorm > 0 && norm > _configuration.Optimizer.ClipNorm ? _configuration.Optimizer.ClipNorm / norm : 1;

    private void Update(float rate, float mean, float norm)
    {
        var scale = LossScale;
        var isGood = _scaler?.Accept(norm) != false;
        if (!isGood || LossScale != scale)
        {
            _model.ClearErrors();
        }

        if (!isGood)
        {
            return;
        }

        var step = new AdamWStep(_configuration.Optimizer, CompletedSteps - (_scaler?.Skipped ?? 0), rate, mean / scale * ClipFactor(norm));
        foreach (var unit in Units)
        {
            Device.Update(step, unit.Weights.Address, unit.Gradients.Address, unit.FirstMoments.Address, unit.SecondMoments.Address, unit.ShardLength);
        }
    }

    private (string Name, float[] Pinned)[] HostedState() => _scaler is null ? [] : [("loss_scale", _scaler.State)];

    private IEnumerable<StateTensor> DeviceState()
    {
        foreach (var (unit, reducer) in _model.Units.Zip(_model.Reducers))
        {
            foreach (var (kind, buffer) in new[] { ("weights", unit.Weights), ("first_moments", unit.FirstMoments), ("second_moments", unit.SecondMoments) })
            {
                yield return new StateTensor($"{unit.Layout.Name}.matrices.{kind}", buffer.Address, unit.MatrixShard);
                if (unit.VectorShard > 0)
                {
                    yield return new StateTensor($"{unit.Layout.Name}.vectors.{kind}", buffer.At(unit.MatrixShard), unit.VectorShard);
                }
            }

            foreach (var (hop, errors) in reducer.Errors)
            {
                yield return new StateTensor($"{unit.Layout.Name}.{ShardLayout.Errors}{hop}", errors.Address, errors.Length);
            }
        }
    }
}
