using System.Numerics.Tensors;
using Phi.Training.Data;
using Phi.Training.Devices;
using Phi.Training.Loop;
using Phi.Training.Model;
using Phi.Training.Optimizer;
using Phi.Training.Zero;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using Tensor = TorchSharp.torch.Tensor;

namespace Phi.Training.Tests;

/// <summary>The same model as one autograd graph with ordinary leaf parameters: no slots, no shards, no segments.</summary>
internal static class PlainLoop
{
    public static float[] Losses(TrainingConfiguration configuration, TokenDataset data, int steps)
    {
        set_num_threads(configuration.Threads);
        using var everything = NewDisposeScope();
        using var forward = new PhiForward(configuration.Model);
        var units = UnitLayout.Of(configuration.Model).Select((layout, i) => new ShardedUnit(CpuDevice.Instance, layout, i, 0, 1, 256, configuration.Seed)).ToList();
        var losses = new float[steps];
        for (var step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            var parameters = units.Select(Leaves).ToList();
            var (inputs, targets) = Batch(configuration, data, step);
            var x = forward.Embed(inputs, parameters[0]);
            foreach (var layer in parameters.Skip(1).Take(configuration.Model.Layers))
            {
                x = forward.Layer(x, layer);
            }

            var loss = F.cross_entropy(forward.Head(x, parameters[^1]), targets);
            loss.backward();
            losses[step] = loss.item<float>();
            Update(configuration, units, parameters, step);
        }

        units.ForEach(unit => unit.Dispose());
        return losses;
    }

    private static List<Tensor> Leaves(ShardedUnit unit) =>
        [.. unit.Layout.Tensors.Select(t => tensor(unit.Weights.Span.Slice(At(unit, t), (int)t.Length).ToArray(), t.Shape).requires_grad_())];

    private static int At(ShardedUnit unit, TensorLayout tensor) => (int)(tensor.IsMatrix ? tensor.Offset : unit.MatrixShard + tensor.Offset);

    private static void Update(TrainingConfiguration configuration, List<ShardedUnit> units, List<List<Tensor>> parameters, int step)
    {
        var squares = 0f;
        foreach (var (unit, leaves) in units.Zip(parameters))
        {
            foreach (var (layout, leaf) in unit.Layout.Tensors.Zip(leaves))
            {
                leaf.grad!.data<float>().ToArray().CopyTo(unit.Gradients.Span[At(unit, layout)..]);
            }

            squares += TensorPrimitives.SumOfSquares<float>(unit.Gradients.Span);
        }

        var norm = MathF.Sqrt(squares);
        var clip = norm > configuration.Optimizer.ClipNorm ? configuration.Optimizer.ClipNorm / norm : 1;
        var rate = configuration.Optimizer.LearningRate * configuration.Schedule.Factor(step);
        var update = new AdamWStep(configuration.Optimizer, step + 1, rate, clip);
        foreach (var unit in units)
        {
            CpuDevice.Instance.Update(update, unit.Weights.Address, unit.Gradients.Address, unit.FirstMoments.Address, unit.SecondMoments.Address, unit.ShardLength);
        }
    }

    private static (Tensor Inputs, Tensor Targets) Batch(TrainingConfiguration configuration, TokenDataset data, int step)
    {
        int count = configuration.GlobalBatch, length = configuration.Model.SequenceLength;
        var inputs = new List<long>();
        var targets = new List<long>();
        var window = new long[length + 1];
        for (var sample = 0; sample < count; sample++)
        {
            data.CopySample(configuration.Seed, step, sample, window);
            inputs.AddRange(window[..length]);
            targets.AddRange(window[1..]);
        }

        return (tensor(inputs.ToArray(), [count, length]), tensor(targets.ToArray(), [count * length]));
    }
}
