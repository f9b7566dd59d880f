using Phi.Training.Loop;
using Phi.Training.Optimizer;
using Phi.Training.Zero;

namespace Phi.Training.Tests;

/// <summary>fp16 with dynamic loss scaling.</summary>
[Collection("torch")]
public sealed class Fp16Tests
{
    private static TrainingConfiguration Half { get; } = SmallRun.Configuration with
    {
        Precision = ComputePrecision.Fp16,
        Zero = new ZeroConfiguration { RanksPerNode = 2, WeightBlock = 64, SecondaryShards = true, Gradients = new GradientQuantization(BlockSize: 64) },
    };

    [Fact]
    public void Step_Fp16_FollowsFp32AndQuantizes()
    {
        var single = SmallRun.Train(1, 40)[0];
        var half = SmallRun.Train(4, 40, Half)[0];

        Assert.All(single.Zip(half), pair => Assert.InRange(Math.Abs(pair.First.Loss - pair.Second.Loss), 0, 0.03 * pair.First.Loss));
        // The first scale may overflow: that step changes no weight, and the norm is that of unscaled gradients.
        var first = half.First(step => float.IsFinite(step.GradientNorm));
        Assert.InRange(first.GradientNorm, 0.8 * single[0].GradientNorm, 1.2 * single[0].GradientNorm);
    }

    [Fact]
    public void Step_GradientOverflows_IsSkippedAndHalvesTheScale()
    {
        var weights = new List<float[]>();
        var scales = new List<float>();
        SmallRun.Train(1, 0, Half with { Zero = new ZeroConfiguration() }, prepare: (loop, _) =>
        {
            SetScale(loop, 1e9f);
            for (var i = 0; i < 30; i++)
            {
                weights.Add(Weights(loop));
                scales.Add(loop.LossScale);
                loop.Step();
            }
        });

        Assert.Equal(weights[0], weights[1]);
        Assert.Equal(scales[0] / 2, scales[1]);
        Assert.NotEqual(weights[0], weights[^1]);
        Assert.All(weights[^1], value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void Step_GradientOverflowsWithErrorFeedback_LeavesNoTraceInTheErrors()
    {
        var zero = new ZeroConfiguration { RanksPerNode = 1, WeightBlock = 64, Gradients = new GradientQuantization(4, 4, 64, ErrorFeedback: true) };
        var losses = SmallRun.Train(2, 40, Half with { Zero = zero, MicroBatch = 4 }, prepare: (loop, _) => SetScale(loop, 1e9f))[0];

        Assert.False(float.IsFinite(losses[0].GradientNorm));
        Assert.True(float.IsFinite(losses[^1].GradientNorm));
        Assert.InRange(losses[^1].Loss, 0, 0.9 * losses[0].Loss);
    }

    [Fact]
    public void Accept_GoodStepsInARow_DoubleTheScaleUpToALimit()
    {
        var scaler = new LossScaler();
        for (var i = 0; i < 2000; i++)
        {
            Assert.Equal(65536, scaler.Scale);
            Assert.True(scaler.Accept(1));
        }

        Assert.Equal(131072, scaler.Scale);
        for (var i = 0; i < 40_000; i++)
        {
            scaler.Accept(1);
        }

        Assert.Equal(1 << 24, scaler.Scale);
        Assert.False(scaler.Accept(float.NaN));
        Assert.False(scaler.Accept(float.PositiveInfinity));
        Assert.Equal((1 << 22, 2), (scaler.Scale, scaler.Skipped));
    }

    private static unsafe void SetScale(TrainingLoop loop, float scale)
    {
        using var state = loop.State();
        ((float*)state.Tensors.Single(tensor => tensor.Name == "loss_scale").Values)[0] = scale;
    }

    private static unsafe float[] Weights(TrainingLoop loop)
    {
        using var state = loop.State();
        var tensor = state.Tensors.Single(tensor => tensor.Name == "layer-0.matrices.weights");
        return new ReadOnlySpan<float>((float*)tensor.Values, (int)tensor.Length).ToArray();
    }
}
