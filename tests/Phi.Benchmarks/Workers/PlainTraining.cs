using System.Diagnostics;
using Phi.Training.Data;
using Phi.Training.Model;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using Tensor = TorchSharp.torch.Tensor;

namespace Phi.Benchmarks.Workers;

/// <summary>The same model as a person would write it with TorchSharp alone: one graph, leaf parameters, its AdamW and its clipping.</summary>
internal static class PlainTraining
{
    private const double InitialDeviation = 0.02;

    public static WorkerResult Run(WorkerConfiguration configuration, TokenDataset data)
    {
        set_num_threads(configuration.Threads);
        manual_seed(configuration.Seed);
        using var forward = new PhiForward(configuration.Model);
        var units = UnitLayout.Of(configuration.Model).Select(unit => unit.Tensors.Select(layout => new TorchSharp.Modules.Parameter(Initial(layout))).ToList()).ToList();
        using var optimizer = optim.AdamW(units.SelectMany(unit => unit), 2e-3, 0.9, 0.98, 1e-7, 0.1);
        var started = 0L;
        var loss = 0f;
        for (var step = 0; step < configuration.WarmupSteps + configuration.Steps; step++)
        {
            started = step == configuration.WarmupSteps ? Stopwatch.GetTimestamp() : started;
            loss = Step(configuration, data, forward, units, optimizer, step);
        }

        return new WorkerResult { StepSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds / configuration.Steps, Loss = loss };
    }

    private static float Step(WorkerConfiguration configuration, TokenDataset data, PhiForward forward, List<List<TorchSharp.Modules.Parameter>> parameters, optim.Optimizer optimizer, int step)
    {
        using var scope = NewDisposeScope();
        int count = configuration.GlobalBatch, length = configuration.Model.SequenceLength;
        var (inputs, targets, window) = (new long[count * length], new long[count * length], new long[length + 1]);
        for (var sample = 0; sample < count; sample++)
        {
            data.CopySample(configuration.Seed, step, sample, window);
            window.AsSpan(0, length).CopyTo(inputs.AsSpan(sample * length));
            window.AsSpan(1, length).CopyTo(targets.AsSpan(sample * length));
        }

        var x = forward.Embed(tensor(inputs, [count, length]), parameters[0]);
        foreach (var layer in parameters.Skip(1).Take(configuration.Model.Layers))
        {
            x = forward.Layer(x, layer);
        }

        var loss = F.cross_entropy(forward.Head(x, parameters[^1]), tensor(targets, [count * length]));
        optimizer.zero_grad();
        loss.backward();
        nn.utils.clip_grad_norm_(parameters.SelectMany(unit => unit), 1.0);
        optimizer.step();
        return loss.item<float>();
    }

    private static Tensor Initial(TensorLayout layout) => layout.Initialization switch
    {
        Initialization.Normal => randn(layout.Shape) * InitialDeviation,
        Initialization.One => ones(layout.Shape),
        _ => zeros(layout.Shape),
    };
}
