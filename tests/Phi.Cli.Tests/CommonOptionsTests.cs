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

    [Fact]
    public void ClusterTelemetry_AFile_IsAnAbsolutePath()
    {
        var option = CommonOptions.ClusterTelemetry();

        Assert.Equal(Path.GetFullPath("telemetry.db"), new RootCommand { option }.Parse(["--telemetry", "telemetry.db"]).GetValue(option));
    }

    [Theory]
    [InlineData("postgresql://phi@db.example:5433/curves")]
    [InlineData("Host=/run/postgresql;Database=curves")]
    public void ClusterTelemetry_PostgreSql_StaysAsItIs(string address)
    {
        var option = CommonOptions.ClusterTelemetry();

        Assert.Equal(address, new RootCommand { option }.Parse(["--telemetry", address]).GetValue(option));
    }

    [Fact]
    public void ClusterTelemetry_WrongAddress_IsAnErrorThatSaysHow()
    {
        var error = Assert.Single(new RootCommand { CommonOptions.ClusterTelemetry() }.Parse(["--telemetry", "postgresql://db/curves?colour=blue"]).Errors);

        Assert.Contains("Write postgresql://USER@HOST:PORT/DATABASE", error.Message, StringComparison.Ordinal);
    }
}
