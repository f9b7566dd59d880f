using Phi.Benchmarks.Benches;
using Phi.Benchmarks.Workers;
using Phi.Collectives;

namespace Phi.Benchmarks.Tests;

/// <summary>What of the benches themselves can be tested without their time.</summary>
public sealed class BenchesTests
{
    [Theory]
    [InlineData("0", "--steps is 0")]
    [InlineData("-4", "--steps is -4")]
    [InlineData("many", "many")]
    public async Task Quality_WrongSteps_AreAnErrorThatNamesThem(string steps, string expected)
    {
        var error = new StringWriter();

        Assert.Equal(2, await new BenchCommand([new QualityBench()], TextWriter.Null, error).RunAsync(["quality", "--steps", steps]));
        Assert.Contains(expected, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Collectives_InProcess_HaveAFigureForEachAndEverySize()
    {
        var groups = InProcessGroup.Create(2);

        var figures = await Task.WhenAll(groups.Select((group, rank) => Task.Factory.StartNew(
            () => CollectiveRank.Measure(group, new CollectiveConfiguration { Rank = rank, WorldSize = 2, NodeRank = 0, MasterPort = 0, Sizes = [1 << 10, 1 << 14], RoundSeconds = 0 }),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        string[] collectives = ["all-gather", "reduce-scatter", "all-to-all", "all-reduce", "broadcast", CollectiveRank.Memcpy];
        Assert.All(figures, rank => Assert.Equal(new[] { 1L << 10, 1L << 14 }.SelectMany(size => collectives.Select(name => (name, size))), rank.Select(figure => (figure.Collective, figure.Size))));
        Assert.All(figures.SelectMany(rank => rank), figure => Assert.True(figure.GigabytesPerSecond > 0));
        foreach (var group in groups)
        {
            await group.DisposeAsync();
        }
    }
}
