using Phi.Collectives;
using Phi.Trainer.Ranks;
using Phi.Training.Data;
using Phi.Training.Loop;
using Phi.Training.Optimizer;

namespace Phi.Trainer.Tests;

/// <summary>What is a step's traffic, and what is not.</summary>
[Collection("torch")]
public sealed class TrafficMetricsTests
{
    [Fact]
    public async Task AddTo_AfterAnEvaluationIsSkipped_HasNothingOfIt()
    {
        var configuration = new TrainingConfiguration
        {
            Model = new ModelConfiguration { Layers = 2, HiddenSize = 24, Heads = 2, RotaryDim = 8, MlpSize = 40, VocabularySize = 257, SequenceLength = 24 },
            GlobalBatch = 4,
            MicroBatch = 2,
            Schedule = new ConstantSchedule(0, 0, 100),
            Optimizer = new AdamW(),
            Seed = 5,
        };
        var data = new TokenDataset(Enumerable.Range(0, 1000).Select(i => (ushort)(i % 200)).ToArray());

        var ranks = await Task.WhenAll(InProcessGroup.Create(2).Select(group => Task.Factory.StartNew(
            () =>
            {
                using var loop = new TrainingLoop(configuration, group, data);
                var traffic = new TrafficMetrics(loop);
                var (step, between, skipped) = (new Dictionary<string, double>(), new Dictionary<string, double>(), new Dictionary<string, double>());
                loop.Step();
                traffic.AddTo(step);
                loop.Evaluate(data, 4);
                traffic.AddTo(between);
                loop.Evaluate(data, 4);
                traffic.Skip();
                traffic.AddTo(skipped);
                return (Step: step.Values.Sum(), Evaluation: between.Values.Sum(), Skipped: skipped.Values.Sum());
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));

        Assert.All(ranks, rank => Assert.True(rank is { Step: > 0, Evaluation: > 0, Skipped: 0 }, rank.ToString()));
    }
}
