using System.Text;
using Phi.Operator.AgentApi;

namespace Phi.Operator.Tests;

/// <summary>What anybody's program may post, and what it is told when it is wrong.</summary>
public sealed class ProgressBodyTests
{
    [Fact]
    public void Read_OneLine_HasItsStepLossAndOtherNumbers()
    {
        var (progress, metrics) = Read("""{"step": 7, "loss": 2.5, "tokens": 4096, "checkpoint": "/data/step-7", "accuracy": 0.5}""", out _)!.Value;

        Assert.Equal((7, 2.5, 4096, "/data/step-7"), (progress.Step, progress.Loss, progress.Tokens, progress.Checkpoint));
        Assert.Equal(("accuracy", 0.5), (Assert.Single(metrics).Key, metrics["accuracy"]));
    }

    [Fact]
    public void Read_LossThatIsNotFinite_IsTextInJson() => Assert.True(double.IsNaN(Read("""{"step": 7, "loss": "NaN"}""", out _)!.Value.Progress.Loss!.Value));

    [Theory]
    [InlineData("""{"loss": 1}""", "'step'")]
    [InlineData("""{"step": 0}""", "step: 0: must be at least 1")]
    [InlineData("""{"step": 1.5}""", "step: ")]
    [InlineData("""{"step": 1, "loss": []}""", "loss: ")]
    [InlineData("""{"step": 1, "loss": NaN}""", "loss: ")]
    [InlineData("""{"step": 1, "tokens": -1}""", "tokens: -1: must be at least 0")]
    [InlineData("""{"step": 1, "note": "x"}""", "note: \"x\": must be a number")]
    [InlineData("""{"step": 1, "a b": 1}""", "a b: a curve's name has")]
    [InlineData("""{"step": 1, "checkpoint": ""}""", "checkpoint: must have")]
    [InlineData("step=1", "the body is no progress: ")]
    [InlineData("null", "the body is no progress: ")]
    [InlineData("", "the body is no progress: ")]
    public void Read_BrokenBody_NamesTheField(string body, string expected)
    {
        Assert.Null(Read(body, out var problem));
        Assert.Contains(expected, problem, StringComparison.Ordinal);
    }

    private static (Api.Agent.ContainerProgress Progress, IReadOnlyDictionary<string, double> Metrics)? Read(string body, out string problem) => ProgressBody.Read(Encoding.UTF8.GetBytes(body), out problem);
}
