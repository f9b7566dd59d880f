using System.Text.Json;
using Phi.Benchmarks.Reports;

namespace Phi.Benchmarks.Tests;

/// <summary>The command line of <c>phi bench</c>, and what it prints.</summary>
public sealed class BenchCommandTests
{
    [Fact]
    public async Task Run_NoName_ListsTheBenches()
    {
        var (code, output, error) = await RunAsync();

        Assert.Equal((0, ""), (code, error));
        Assert.Equal(["  phi bench good    what good measures", "  phi bench broken  what broken measures"], output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Run_UnknownName_IsAnErrorThatListsThem()
    {
        var (code, output, error) = await RunAsync("god", "--output", "json");

        Assert.Equal((2, ""), (code, output));
        Assert.Contains("no bench 'god'", error, StringComparison.Ordinal);
        Assert.Contains("phi bench good ", error, StringComparison.Ordinal);
        Assert.Contains("phi bench broken ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("good", "--output", "xml")]
    [InlineData("good", "--value", "x")]
    [InlineData("good", "more")]
    public async Task Run_WrongArgument_IsAnErrorThatNamesIt(params string[] arguments)
    {
        var (code, output, error) = await RunAsync(arguments);

        Assert.Equal((2, ""), (code, output));
        Assert.Contains(arguments[^1], error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_Json_PrintsOneObjectOfTheDocumentedShape()
    {
        var (code, output, error) = await RunAsync("good", "--value", "7", "--output", "json");

        Assert.Equal((0, ""), (code, error));
        using var report = JsonDocument.Parse(output);
        Assert.Equal(["bench", "machine", "metrics"], report.RootElement.EnumerateObject().Select(property => property.Name));
        Assert.Equal("good", report.RootElement.GetProperty("bench").GetString());
        var metrics = report.RootElement.GetProperty("metrics").EnumerateArray().ToList();
        Assert.All(metrics, metric => Assert.Equal(["name", "value", "unit", "target", "met"], metric.EnumerateObject().Select(property => property.Name)));
        Assert.Equal(
            ["""{"name":"plain","value":7,"unit":"s","target":null,"met":null}""", """{"name":"bounded","value":3,"unit":"s","target":"at most 2","met":false}""", """{"name":"near","value":1.004,"unit":"","target":"from 0.995 to 1.005","met":true}"""],
            metrics.Select(metric => metric.GetRawText()));
    }

    [Fact]
    public async Task Run_Table_HasEveryMetric()
    {
        var (code, output, _) = await RunAsync("good");

        Assert.Equal(0, code);
        Assert.Contains("bounded", output, StringComparison.Ordinal);
        Assert.Contains("MISSED", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_BenchThatCannotRun_SaysWhyAndPrintsNoReport()
    {
        var (code, output, error) = await RunAsync("broken", "--output", "json");

        Assert.Equal((1, "", "phi bench: it needs a lab\n"), (code, output, error));
    }

    [Theory]
    [InlineData(0.9949, false)]
    [InlineData(0.996, true)]
    [InlineData(1.0051, false)]
    [InlineData(double.NaN, false)]
    public void Near_AValue_IsMetWithinTheMargin(double value, bool met) => Assert.Equal(met, Metric.Near("ratio", value, "", 1, 0.005).Met);

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await new BenchCommand([new FakeBench("good"), new FakeBench("broken", "it needs a lab")], output, error).RunAsync(arguments);
        return (code, output.ToString(), error.ToString());
    }
}
