using Phi.Training.Loop;
using Phi.Training.Zero;

namespace Phi.Training.Tests;

/// <summary>A mask is a function of seed, step, global sample, layer and place, of nothing else.</summary>
[Collection("torch")]
public sealed class DropoutTests
{
    private static TrainingConfiguration Dropping { get; } = SmallRun.Configuration with { Dropout = 0.1 };

    [Fact]
    public void Step_WithDropout_RepeatsItsBitsAndDiffersFromNone()
    {
        var first = Losses(SmallRun.Train(1, 6, Dropping));

        Assert.Equal(first, Losses(SmallRun.Train(1, 6, Dropping)));
        Assert.NotEqual(first, Losses(SmallRun.Train(1, 6)));
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(4, 1)]
    [InlineData(1, 8)]
    public void Step_WithDropout_HasTheSameMasksForEveryWorldSizeAndMicroBatch(int world, int micro)
    {
        var one = Losses(SmallRun.Train(1, 12, Dropping));
        var other = Losses(SmallRun.Train(world, 12, Dropping with { MicroBatch = micro }));

        Assert.All(one.Zip(other), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, 1e-5 * pair.First));
    }

    [Fact]
    public void Step_WithDropoutAndActivationCheckpointing_DropsTheSameAgainInTheBackwardPass() =>
        Assert.Equal(Losses(SmallRun.Train(2, 6, Dropping)), Losses(SmallRun.Train(2, 6, Dropping with { ActivationCheckpointing = true })));

    [Fact]
    public void Step_WithDropout_StillLearns()
    {
        var losses = Losses(SmallRun.Train(1, 60, Dropping));

        Assert.InRange(losses[^1], 0, 0.7 * losses[0]);
    }

    private static float[] Losses(StepResult[][] ranks) => [.. ranks[0].Select(step => step.Loss)];
}
