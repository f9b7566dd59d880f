using System.CommandLine;
using Phi.Cli.Commands;

namespace Phi.Cli.Tests;

/// <summary>Options that several commands share.</summary>
public sealed class CommonOptionsTests
{
    [Theory]
    [InlineData("0", "from 1 to 256")]
    [InlineData("257", "from 1 to 256")]
    [InlineData("many", "many")]
    public void Nodes_NoCount_IsAnErrorThatNamesIt(string value, string expected)
    {
        var error = Assert.Single(new RootCommand { CommonOptions.Nodes() }.Parse(["--nodes", value]).Errors);

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("256")]
    public void Nodes_ACount_IsTaken(string value) => Assert.Empty(new RootCommand { CommonOptions.Nodes() }.Parse(["--nodes", value]).Errors);
}
