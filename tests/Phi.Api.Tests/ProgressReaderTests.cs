using System.Text;
using Phi.Api.Agent;

namespace Phi.Api.Tests;

/// <summary>What anybody's program may post, and what it is told when it is wrong.</summary>
public sealed class ProgressReaderTests
{
    [Fact]
    public void Read_OneLine_HasItsStepLossAndOtherNumbers()
    {
        var progress = Read("""{"step": 7, "loss": 2.5, "tokens": 4096, "checkpoint": "/data/step-7", "accuracy": 0.5}""", out _)!;

        Assert.Equal((7, 2.5, 4096, "/data/step-7"), (progress.Step, progress.Loss, progress.Tokens, progress.Checkpoint));
        Assert.Equal(new Dictionary<string, double> { ["accuracy"] = 0.5, ["loss"] = 2.5, ["tokens"] = 4096 }, progress.Numbers());
    }

    [Theory]
    [InlineData("NaN", double.NaN)]
    [InlineData("\"NaN\"", double.NaN)]
    [InlineData("Infinity", double.PositiveInfinity)]
    [InlineData("-Infinity", double.NegativeInfinity)]
    public void Read_NumbersThatAreNotFinite_AsPythonOrJsonWritesThem(string number, double expected)
    {
        var progress = Read("{\"step\": 7, \"loss\": " + number + ", \"norm\":" + number + ", \"checkpoint\": \"a \\\" NaN \\\\\"}", out _)!;

        Assert.Equal((expected, expected, "a \" NaN \\"), (progress.Loss, progress.Numbers()["norm"], progress.Checkpoint));
    }

    [Theory]
    [InlineData("""{"loss": 1}""", "'step'")]
    [InlineData("""{"step": 0}""", "step: 0: must be at least 1")]
    [InlineData("""{"step": 1.5}""", "step: ")]
    [InlineData("""{"step": 1, "loss": []}""", "loss: ")]
    [InlineData("""{"step": NaN}""", "step: ")]
    [InlineData("""{"step": 1, "loss": NaNa}""", "this is no progress: ")]
    [InlineData("""{"step": 1, "tokens": -1}""", "tokens: -1: must be at least 0")]
    [InlineData("""{"step": 1, "note": "x"}""", "note: \"x\": must be a number")]
    [InlineData("""{"step": 1, "a b": 1}""", "a b: a curve's name has")]
    [InlineData("""{"step": 1, "checkpoint": ""}""", "checkpoint: must have")]
    [InlineData("step=1", "this is no progress: ")]
    [InlineData("null", "this is no progress: ")]
    [InlineData("", "this is no progress: ")]
    public void Read_BrokenBody_NamesTheField(string body, string expected)
    {
        Assert.Null(Read(body, out var problem));
        Assert.Contains(expected, problem, StringComparison.Ordinal);
    }

    private static ContainerProgress? Read(string json, out string problem) => ProgressReader.Read(Encoding.UTF8.GetBytes(json), out problem);
}
