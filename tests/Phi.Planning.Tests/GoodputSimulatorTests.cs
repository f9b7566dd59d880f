using Phi.Planning.Goodput;

namespace Phi.Planning.Tests;

public sealed class GoodputSimulatorTests
{
    private static readonly FailureModel Model = new() { MeanTimeBetweenFailures = 5 * 3600, Restart = 300, Stall = 30, Write = 0, Step = 10, Steps = 100_000 };

    /// <summary>Of exponential failures, restarts that do not fail and segments of w + s seconds: (M + R) (e^((w + s) / M) − 1) a segment (Daly 2006).</summary>
    [Theory]
    [InlineData(10)]
    [InlineData(60)]
    [InlineData(400)]
    public void Run_WhoseWritesTakeNoTime_IsTheClosedForm(long every)
    {
        var (mean, segment) = (Model.MeanTimeBetweenFailures, every * Model.Step + Model.Stall);
        var expected = (mean + Model.Restart) * (Math.Exp(segment / mean) - 1) * Model.Steps / every;

        var run = GoodputSimulator.Run(Model, every);

        Assert.Equal(expected, run.Seconds, 0.01 * expected);
        Assert.Equal(Model.Steps * Model.Step / run.Seconds, run.Goodput, 12);
    }

    [Fact]
    public void Run_WithoutFailures_LosesItsStallsAlone()
    {
        var run = GoodputSimulator.Run(Model with { MeanTimeBetweenFailures = 1e15 }, 100);

        Assert.Equal(1000 / 1030.0, run.Goodput, 9);
        Assert.Equal(0, run.Failures);
    }

    [Fact]
    public void Run_WhoseWritesTakeLonger_LosesMore() =>
        Assert.True(GoodputSimulator.Run(Model with { Write = 1800 }, 60).Goodput < GoodputSimulator.Run(Model, 60).Goodput);

    [Fact]
    public void Best_OfACurve_IsNearYoungsInterval()
    {
        var curve = GoodputSimulator.Curve(Model, [500]);

        var young = Math.Sqrt(2 * Model.Stall * Model.MeanTimeBetweenFailures) / Model.Step;
        Assert.InRange(GoodputSimulator.Best(curve).EverySteps, 0.5 * young, 2 * young);
        Assert.Contains(curve, point => point.EverySteps == 500);
        Assert.Equal(curve.OrderBy(point => point.EverySteps), curve);
    }

    /// <summary>Neither for ever nor by zero.</summary>
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(1e12, 1e-6, 10)]
    [InlineData(60, 100, 1_000_000_000_000)]
    public void Curve_OfExtremes_HasFiniteFigures(double mean, double step, long steps)
    {
        var curve = GoodputSimulator.Curve(Model with { MeanTimeBetweenFailures = mean, Step = step, Steps = steps }, [1, long.MaxValue]);

        Assert.All(curve, point => Assert.InRange(point.Goodput, 0, 1));
        Assert.All(curve, point => Assert.True(double.IsFinite(point.Seconds) && point.EverySteps >= 1 && point.EverySteps <= steps));
    }
}
