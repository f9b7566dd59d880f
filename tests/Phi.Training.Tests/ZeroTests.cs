using Phi.Training.Loop;
using Phi.Training.Zero;

namespace Phi.Training.Tests;

/// <summary>Stages and ZeRO++'s three techniques against the unsharded, unquantised run, and against their own continuation.</summary>
[Collection("torch")]
public sealed class ZeroTests
{
    private const int Steps = 12;

    private static ZeroConfiguration AllOn { get; } = new()
    {
        RanksPerNode = 2, WeightBlock = 64, SecondaryShards = true, Gradients = new GradientQuantization(BlockSize: 64),
    };

    public static TheoryData<int, int, int> Unquantized => new(
        from stage in Enumerable.Range(0, 4) from world in new[] { (4, 0), (4, 2), (4, 1), (2, 1) } select (stage, world.Item1, world.Item2));

    [Theory]
    [MemberData(nameof(Unquantized))]
    public void Step_AnyStageAndTopology_EqualsOneRankWithinRounding(int stage, int world, int ranksPerNode)
    {
        var one = Losses(SmallRun.Train(1, Steps)[0]);
        var all = SmallRun.Train(world, Steps, With(new ZeroConfiguration { Stage = stage, RanksPerNode = ranksPerNode }));

        Assert.All(all, rank => Assert.Equal(Losses(all[0]), Losses(rank)));
        Assert.All(one.Zip(Losses(all[0])), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, 1e-5 * pair.First));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Step_AnyPrefetch_GivesTheSameBits(int prefetch)
    {
        var expected = Losses(SmallRun.Train(4, 4, With(AllOn with { Prefetch = 0 }))[0]);

        Assert.Equal(expected, Losses(SmallRun.Train(4, 4, With(AllOn with { Prefetch = prefetch }))[0]));
    }

    [Theory]
    [InlineData("weights", 2e-3)]
    [InlineData("secondary", 1e-5)]
    [InlineData("gradients", 2e-2)]
    [InlineData("all", 2e-2)]
    [InlineData("feedback", 2e-2)]
    public void Step_Quantized_StaysNearTheUnquantizedRun(string what, double bound)
    {
        var zero = what switch
        {
            "weights" => AllOn with { SecondaryShards = false, Gradients = null },
            "secondary" => AllOn with { WeightBlock = 0, Gradients = null },
            "gradients" => AllOn with { WeightBlock = 0, SecondaryShards = false },
            "feedback" => AllOn with { Gradients = new GradientQuantization(4, 4, 64, ErrorFeedback: true) },
            _ => AllOn,
        };
        var plain = Losses(SmallRun.Train(4, 40)[0]);
        var quantized = Losses(SmallRun.Train(4, 40, With(zero))[0]);

        Assert.All(plain.Zip(quantized), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, bound * pair.First));
        if (what != "secondary")
        {
            Assert.NotEqual(plain, quantized);
        }
    }

    [Fact]
    public void Step_SecondaryShards_ChangeNoBit() =>
        Assert.Equal(
            Losses(SmallRun.Train(4, 4, With(AllOn with { SecondaryShards = false }))[0]),
            Losses(SmallRun.Train(4, 4, With(AllOn))[0]));

    [Fact]
    public void Step_ContinuedWithErrorFeedback_EqualsTheUninterruptedRunBitForBit()
    {
        var configuration = With(AllOn with { Gradients = new GradientQuantization(4, 4, 64, ErrorFeedback: true) });
        var saved = new Dictionary<string, float[]>[4];
        var whole = Losses(SmallRun.Train(4, 8, configuration)[0]);
        var first = Losses(SmallRun.Train(4, 3, configuration, finish: (loop, rank) => saved[rank] = SavedState.Save(loop))[0]);

        var rest = Losses(SmallRun.Train(4, 5, configuration, prepare: (loop, rank) => SavedState.Load(loop, saved[rank], 3))[0]);

        Assert.Contains(saved[0].Keys, name => name.EndsWith("errors_across", StringComparison.Ordinal));
        Assert.Equal(whole, first.Concat(rest));
    }

    [Fact]
    public void Step_ActivationCheckpointing_ChangesNoBit() =>
        Assert.Equal(
            Losses(SmallRun.Train(2, 4)[0]),
            Losses(SmallRun.Train(2, 4, SmallRun.Configuration with { ActivationCheckpointing = true })[0]));

    [Fact]
    public void Step_Bf16_FollowsFp32AndQuantizes()
    {
        var plain = Losses(SmallRun.Train(1, 40)[0]);
        var half = Losses(SmallRun.Train(4, 40, With(AllOn) with { Precision = ComputePrecision.Bf16 })[0]);

        Assert.All(plain.Zip(half), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, 0.03 * pair.First));
    }

    [Theory]
    [InlineData(64)]
    [InlineData(13)]
    public void Evaluate_AnyWorldSize_GivesTheSameLossAndLeavesTheRunAsItWas(int samples)
    {
        var (data, heldOut) = SmallRun.Data.Split(0.2);
        var losses = new Dictionary<int, float>();
        foreach (var world in new[] { 1, 4 })
        {
            var plain = Losses(SmallRun.Train(world, 5, data: data)[0]);
            var evaluated = SmallRun.Train(world, 5, data: data, prepare: (loop, rank) =>
            {
                var loss = loop.Evaluate(heldOut, samples);
                if (rank == 0)
                {
                    losses[world] = loss;
                }
            });
            Assert.Equal(plain, Losses(evaluated[0]));
        }

        Assert.InRange(losses[1], 5, 6);
        Assert.Equal(losses[1], losses[4], 1e-4);
    }

    [Theory]
    [InlineData(2, 2, "write stage 3")]
    [InlineData(3, 3, "does not divide the 4 ranks")]
    public void Constructor_WhatCannotBe_NamesTheRemedy(int stage, int ranksPerNode, string remedy)
    {
        var error = Assert.Throws<InvalidOperationException>(() => SmallRun.Train(4, 1, With(AllOn with { Stage = stage, RanksPerNode = ranksPerNode })));

        Assert.Contains(remedy, error.Message, StringComparison.Ordinal);
    }

    private static TrainingConfiguration With(ZeroConfiguration zero) => SmallRun.Configuration with { Zero = zero };

    private static float[] Losses(StepResult[] steps) => [.. steps.Select(step => step.Loss)];
}
