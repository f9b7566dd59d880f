using Phi.Cli.Output;

namespace Phi.Cli.Tests;

public sealed class SparklineTests
{
    [Theory]
    [InlineData(new double[0], "")]
    [InlineData(new[] { double.NaN }, "")]
    [InlineData(new[] { 1.0, 1.0 }, "▅▅")]
    [InlineData(new[] { 8.0, 7, 6, 5, 4, 3, 2, 1 }, "█▇▆▅▄▃▂▁")]
    [InlineData(new[] { 1.0, double.NaN, 2.0 }, "▁ █")]
    public void Of_Values_AreLevelsFromTheLeastToTheGreatest(double[] values, string expected) => Assert.Equal(expected, Sparkline.Of(values));
}
