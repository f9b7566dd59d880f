using System.Text;
using Phi.Collectives;
using Phi.Training.Data;
using Phi.Training.Loop;
using Phi.Training.Model;
using Phi.Training.Optimizer;

namespace Phi.Training.Tests;

/// <summary>A run small enough for a test: two layers, odd sizes that no world divides evenly.</summary>
internal static class SmallRun
{
    public static TrainingConfiguration Configuration { get; } = new()
    {
        Model = new ModelConfiguration { Layers = 4, HiddenSize = 24, Heads = 2, RotaryDim = 8, MlpSize = 40, VocabularySize = 257, SequenceLength = 32 },
        GlobalBatch = 8,
        MicroBatch = 2,
        Schedule = new LinearSchedule(3, 60),
        Optimizer = new AdamW { LearningRate = 3e-3f },
        Seed = 5,
    };

    public static TokenDataset Data { get; } = new(Tokens());

    /// <summary>Losses of each rank; every rank on a thread of its own.</summary>
    public static StepResult[][] Train(int worldSize, int steps, TrainingConfiguration? configuration = null, Action<TrainingLoop, int>? prepare = null, Action<TrainingLoop, int>? finish = null, TokenDataset? data = null)
    {
        var groups = InProcessGroup.Create(worldSize);
        var results = new StepResult[worldSize][];
        Exception? failure = null;
        var threads = groups.Select((group, rank) => new Thread(() =>
        {
            try
            {
                using var loop = new TrainingLoop(configuration ?? Configuration, group, data ?? Data);
                prepare?.Invoke(loop, rank);
                results[rank] = [.. Enumerable.Range(0, steps).Select(_ => loop.Step())];
                finish?.Invoke(loop, rank);
            }
            catch (Exception e)
            {
                failure ??= e;
                group.DisposeAsync().AsTask().GetAwaiter().GetResult();
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return failure is null ? results : throw new InvalidOperationException(failure.Message, failure);
    }

    private static ushort[] Tokens()
    {
        var text = new StringBuilder();
        for (var i = 0; i < 400; i++)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"def f{i % 17}(x): return x * {i % 5} + {i % 7}\n");
        }

        return [.. Encoding.ASCII.GetBytes(text.ToString()).Select(b => (ushort)b)];
    }
}
