using Phi.Training.Optimizer;

namespace Phi.Training.Tests;

/// <summary>Learning-rate schedules at their corners.</summary>
public sealed class ScheduleTests
{
    [Fact]
    public void Linear_RisesThenFallsToZero() => AssertFactors(new LinearSchedule(2, 10), (0, 0.5f), (1, 1), (2, 1), (6, 0.5f), (10, 0), (12, 0));

    [Fact]
    public void Cosine_RisesThenFallsToZero() => AssertFactors(new CosineSchedule(2, 10), (0, 0.5f), (1, 1), (2, 1), (4, 0.853553f), (6, 0.5f), (10, 0), (12, 0));

    [Fact]
    public void Constant_StaysThenDecaysOverItsLastSteps() => AssertFactors(new ConstantSchedule(2, 4, 10), (0, 0.5f), (1, 1), (6, 1), (7, 0.75f), (9, 0.25f), (10, 0));

    [Fact]
    public void Constant_WithoutDecay_Stays() => AssertFactors(new ConstantSchedule(0, 0, 10), (0, 1), (9, 1), (20, 1));

    private static void AssertFactors(ISchedule schedule, params (long Step, float Factor)[] expected) =>
        Assert.All(expected, e => Assert.Equal(e.Factor, schedule.Factor(e.Step), 1e-5f));
}
