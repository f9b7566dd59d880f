using Phi.Api.TrainingJobs;
using Phi.Trainer.Ranks;
using Phi.Training.Loop;

namespace Phi.Trainer.Tests;

public sealed class DivergenceGuardTests
{
    [Theory]
    [InlineData(float.NaN, 1f)]
    [InlineData(float.PositiveInfinity, 1f)]
    [InlineData(2f, float.NaN)]
    public void Check_NotFinite_NamesStepAndBatch(float loss, float norm)
    {
        var problem = Guard().Check(Step(7, loss, norm, batch: 9), isScaled: false);

        Assert.Contains("step 7", problem, StringComparison.Ordinal);
        Assert.Contains("batch 9", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_GradientOfFp16NotFinite_IsTheScalers() => Assert.Null(Guard().Check(Step(7, 2, float.PositiveInfinity), isScaled: true));

    [Fact]
    public void Check_ActionIgnore_IsNothing() => Assert.Null(new DivergenceGuard(new DivergenceSpec { Action = "Ignore", Window = 50 }).Check(Step(7, float.NaN), isScaled: false));

    [Theory]
    [InlineData(4, 6.1f, false)]
    [InlineData(5, 6.1f, true)]
    [InlineData(5, 5.9f, false)]
    public void Check_AboveFactorTimesMedian_IsASpikeOnceThereIsAMedian(int before, float loss, bool isSpike)
    {
        var guard = Guard(factor: 3);
        for (var step = 1; step <= before; step++)
        {
            Assert.Null(guard.Check(Step(step, 2), isScaled: false));
        }

        Assert.Equal(isSpike, guard.Check(Step(before + 1, loss), isScaled: false) is not null);
    }

    [Fact]
    public void Check_WithoutSpikeFactor_LetsALossJump()
    {
        var guard = Guard();
        for (var step = 1; step <= 10; step++)
        {
            Assert.Null(guard.Check(Step(step, 2), isScaled: false));
        }

        Assert.Null(guard.Check(Step(11, 1e6f), isScaled: false));
    }

    private static DivergenceGuard Guard(double? factor = null) => new(new DivergenceSpec { Action = "Stop", Window = 50, SpikeFactor = factor });

    private static StepResult Step(long step, float loss, float norm = 1, long batch = 0) => new(step, loss, 1e-3f, norm, 64, 1, 0, batch);
}
