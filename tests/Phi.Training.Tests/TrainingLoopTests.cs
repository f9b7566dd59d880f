using Phi.Training.Loop;
using Phi.Training.Zero;

namespace Phi.Training.Tests;

/// <summary>ZeRO-3 against itself at other world sizes, against a plain loop, and against its own continuation.</summary>
[Collection("torch")]
public sealed class TrainingLoopTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Snapshot_WhileTrainingGoesOn_StaysAsItIs(int world) =>
        SmallRun.Train(world, 1, SmallRun.Configuration with { Precision = ComputePrecision.Fp16 }, finish: (loop, _) => SnapshotCheck.Run(loop));

    [Fact]
    public void Step_WorldOfOne_EqualsThePlainLoopBitForBit()
    {
        var configuration = SmallRun.Configuration with { MicroBatch = 8 };

        var losses = SmallRun.Train(1, 12, configuration)[0].Select(step => step.Loss).ToArray();

        Assert.Equal(Bits(PlainLoop.Losses(configuration, SmallRun.Data, 12)), Bits(losses));
    }

    [Fact]
    public void Step_FourRanks_EqualsOneWithinRounding()
    {
        var one = SmallRun.Train(1, 30)[0];
        var four = SmallRun.Train(4, 30);

        for (var step = 0; step < 30; step++)
        {
            Assert.True(Math.Abs(one[step].Loss - four[0][step].Loss) <= 1e-5 * one[step].Loss, $"step {step}: {one[step].Loss:R} and {four[0][step].Loss:R}");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Step_SameWorldSize_GivesTheSameBitsOnEveryRankAndEveryRun(int worldSize)
    {
        var first = SmallRun.Train(worldSize, 6);
        var second = SmallRun.Train(worldSize, 6);

        Assert.All(first.Concat(second), rank => Assert.Equal(Bits(first[0].Select(s => s.Loss)), Bits(rank.Select(s => s.Loss))));
    }

    [Fact]
    public void Step_ContinuedFromItsShards_EqualsTheUninterruptedRunBitForBit()
    {
        var whole = SmallRun.Train(2, 10)[0].Select(s => s.Loss);
        var saved = new float[2][][];
        var first = SmallRun.Train(2, 4, finish: (loop, rank) => saved[rank] = Save(loop))[0].Select(s => s.Loss);

        var rest = SmallRun.Train(2, 6, prepare: (loop, rank) => Load(loop, saved[rank], 4))[0].Select(s => s.Loss);

        Assert.Equal(Bits(whole), Bits(first.Concat(rest)));
    }

    [Fact]
    public void Step_WithSkippedBatches_TrainsOnTheOthersInOrder()
    {
        var skipping = SmallRun.Train(2, 5, SmallRun.Configuration with { SkippedBatches = [2, 3, 6] })[0];
        var plain = SmallRun.Train(2, 2)[0];

        Assert.Equal([0, 1, 4, 5, 7], skipping.Select(step => step.Batch));
        Assert.Equal([1, 2, 3, 4, 5], skipping.Select(step => step.Step));
        Assert.Equal(Bits(plain.Select(step => step.Loss)), Bits(skipping.Take(2).Select(step => step.Loss)));
    }

    [Fact]
    public void Step_OfSeveralRanks_WaitsNoLongerThanItTakes() =>
        Assert.All(SmallRun.Train(2, 3).SelectMany(rank => rank), step => Assert.InRange(step.WaitSeconds, 0, step.Seconds));

    [Fact]
    public void Step_Repeated_LowersTheLoss()
    {
        var steps = SmallRun.Train(1, 60)[0];

        Assert.True(steps[0].Loss > 5 && steps[^1].Loss < 3.2, $"{steps[0].Loss} to {steps[^1].Loss}");
    }

    [Theory]
    [InlineData(3, 2)]
    [InlineData(3, 3)]
    [InlineData(5, 1)]
    [InlineData(9, 2)]
    public void Step_BatchThatTheWorldDoesNotDivide_EqualsOneRankWithinRounding(int world, int micro)
    {
        var configuration = SmallRun.Configuration with { Dropout = 0.1, MicroBatch = micro };
        var one = SmallRun.Train(1, 12, configuration with { MicroBatch = 8 })[0];

        foreach (var stage in new[] { 0, 1, 3 })
        {
            var uneven = SmallRun.Train(world, 12, configuration with { Zero = new ZeroConfiguration { Stage = stage } });

            Assert.All(uneven, rank => Assert.Equal(uneven[0].Select(s => s.Loss), rank.Select(s => s.Loss)));
            Assert.All(one.Zip(uneven[0]), pair => Assert.InRange(Math.Abs(pair.First.Loss - pair.Second.Loss), 0, 1e-5 * pair.First.Loss));
            Assert.All(one.Zip(uneven[0]), pair => Assert.InRange(Math.Abs(pair.First.GradientNorm - pair.Second.GradientNorm), 0, 1e-4 * pair.First.GradientNorm));
        }
    }

    [Fact]
    public void Constructor_BatchOfNothing_NamesTheRemedy()
    {
        var error = Assert.Throws<InvalidOperationException>(() => SmallRun.Train(1, 1, SmallRun.Configuration with { MicroBatch = 0 }));

        Assert.Contains("batch.global 8 and batch.micro 0 must be at least 1; take at least one sequence", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Restart_AfterSteps_BeginsTheSameRunAgain()
    {
        var zero = new ZeroConfiguration { RanksPerNode = 1, WeightBlock = 64, Gradients = new GradientQuantization(4, 4, 64, ErrorFeedback: true) };
        var configuration = SmallRun.Configuration with { Zero = zero, Precision = ComputePrecision.Fp16 };
        var first = new float[2][];

        var again = SmallRun.Train(2, 5, configuration, prepare: (loop, rank) =>
        {
            first[rank] = [.. Enumerable.Range(0, 5).Select(_ => loop.Step().Loss)];
            loop.Restart();
        });

        Assert.Equal(Bits(first[0]), Bits(again[0].Select(s => s.Loss)));
    }

    private static float[][] Save(TrainingLoop loop) =>
        [.. loop.Units.SelectMany(unit => new[] { unit.Weights, unit.FirstMoments, unit.SecondMoments }).Select(buffer => buffer.Span.ToArray())];

    private static void Load(TrainingLoop loop, float[][] saved, long steps)
    {
        var buffers = loop.Units.SelectMany(unit => new[] { unit.Weights, unit.FirstMoments, unit.SecondMoments });
        foreach (var (buffer, values) in buffers.Zip(saved))
        {
            values.CopyTo(buffer.Span);
        }

        loop.CompletedSteps = steps;
    }

    private static IEnumerable<int> Bits(IEnumerable<float> values) => values.Select(BitConverter.SingleToInt32Bits);
}
