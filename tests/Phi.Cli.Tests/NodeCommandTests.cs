using System.CommandLine;
using Phi.Cli.Commands;

namespace Phi.Cli.Tests;

/// <summary>What <c>phi node</c> is given, and its errors.</summary>
public sealed class NodeCommandTests
{
    [Theory]
    [InlineData("--name Node_0", "--name Node_0: a node's name is", "write it like node-0")]
    [InlineData("--name n --gpus 8", "--gpus needs --product", "such as --product A100")]
    [InlineData("--name n --product A100", "--product needs --gpus", "such as --gpus 8")]
    [InlineData("--name n --gpus 0 --product A100", "--gpus is 0; it must be from 1 to 64", "Leave it out for a CPU node")]
    [InlineData("--name n --gpus 8 --product A_100", "--product A_100: a product is", "write it like A100")]
    [InlineData("--name n --label rack", "--label rack: a label is KEY=VALUE", "topology.kubernetes.io/rack=r1")]
    [InlineData("--name n --label a/b/c=d", "--label a/b/c=d: a key is", "write it like")]
    [InlineData("--name n --label rack=-r1", "--label rack=-r1: a value is", "shorten it")]
    [InlineData("--name n --label kubernetes.io/hostname=x", "the node sets this label itself", "leave it out")]
    [InlineData("--name n --label rack=r1 --label rack=r2", "--label rack=r2 gives rack a second time", "give it once")]
    [InlineData("--name n --taint spot", "--taint spot: a taint is KEY[=VALUE]:EFFECT", "spot=true:NoSchedule")]
    [InlineData("--name n --taint spot=true:Never", "the effect 'Never' is none of NoSchedule, PreferNoSchedule, NoExecute", "write one of them")]
    [InlineData("--name n --taint spot:NoSchedule --taint spot=x:NoSchedule", "gives spot:NoSchedule a second time", "give it once")]
    public void Node_ABadOption_IsAnErrorWithValueRuleAndRemedy(string options, params string[] says)
    {
        var error = Assert.Single(Parse(options).Errors);

        Assert.All(says, word => Assert.Contains(word, error.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--name node-0.rack --slots 8")]
    [InlineData("--name n --gpus 8 --product NVIDIA-A100-SXM4-80GB --label topology.kubernetes.io/rack=r1 --label phi-orchestrator.io/nvlink-domain=")]
    [InlineData("--name n --taint spot=true:NoSchedule --taint spot=true:NoExecute --taint example.com/gpu:PreferNoSchedule")]
    public void Node_GoodOptions_AreTaken(string options) => Assert.Empty(Parse(options).Errors);

    [Fact]
    public void Taint_WithAndWithoutAValue_HasKeyValueAndEffect()
    {
        var (with, without) = (NodeArguments.Taint("example.com/gpu=a:NoExecute"), NodeArguments.Taint("spot:NoSchedule"));

        Assert.Equal(("example.com/gpu", "a", "NoExecute"), (with.Key, with.Value, with.Effect));
        Assert.Equal(("spot", null, "NoSchedule"), (without.Key, without.Value, without.Effect));
    }

    private static ParseResult Parse(string options) => new RootCommand { NodeCommand.Create() }.Parse(["node", "--kubeconfig", "/nowhere", .. options.Split(' ')]);
}
