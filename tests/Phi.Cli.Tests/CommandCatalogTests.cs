using System.CommandLine;
using Phi.Cli.Output;

namespace Phi.Cli.Tests;

/// <summary>The command line as a whole.</summary>
public sealed class CommandCatalogTests
{
    private static readonly string[] Listings = ["get", "queue ls", "checkpoint ls", "cron ls"];

    public static TheoryData<string> Names => [.. CommandCatalog.All.Select(entry => entry.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Root_OfOneName_BuildsThatCommandAlone(string name) => Assert.Equal([name], CommandCatalog.Root(name).Subcommands.Select(command => command.Name));

    [Fact]
    public void Root_OfNoName_BuildsAll() => Assert.Equal(CommandCatalog.All.Select(entry => entry.Name), CommandCatalog.Root("nonsense").Subcommands.Select(command => command.Name));

    [Fact]
    public void Listings_Output_IsTheSameEverywhere() => Assert.All(Listings, path => Assert.Equal("table, wide, json, yaml or name.", Find(path).Options.Single(option => option.Name == "--output").Description));

    [Fact]
    public void Commands_OnACluster_AllHaveTheSameOptions()
    {
        var onCluster = All(CommandCatalog.Root(null)).Where(command => command.Options.Any(option => option.Name == "--context")).ToList();

        Assert.True(onCluster.Count > 15, $"{onCluster.Count}");
        Assert.All(onCluster, command => Assert.Superset(new HashSet<string> { "--kubeconfig", "--home" }, command.Options.Select(option => option.Name).ToHashSet()));
        Assert.All(onCluster.Where(command => command.Options.Any(option => option.Aliases.Contains("-n"))), command => Assert.Equal("Namespace. Default: the context's.", command.Options.Single(option => option.Name == "--namespace").Description));
    }

    [Fact]
    public void Commands_AllOfThem_SayWhatTheyAndTheirOptionsAreFor() => Assert.All(All(CommandCatalog.Root(null)), command =>
    {
        Assert.False(string.IsNullOrEmpty(command.Description), command.Name);
        Assert.All(command.Options, option => Assert.False(string.IsNullOrEmpty(option.Description), $"{command.Name} {option.Name}"));
        Assert.All(command.Arguments, argument => Assert.False(string.IsNullOrEmpty(argument.Description), $"{command.Name} {argument.Name}"));
    });

    [Fact]
    public void Help_OfTheProgram_ShowsEveryCommandUnderItsGroup()
    {
        var help = Help([]);

        Assert.All(CommandCatalog.All.Where(entry => entry.Name != "control-plane"), entry => Assert.Contains($"\n  {entry.Name} ", help, StringComparison.Ordinal));
        Assert.All(CommandCatalog.All.Select(entry => entry.Group).Distinct(), group => Assert.Contains($"\n{group}:\n", help, StringComparison.Ordinal));
        Assert.DoesNotContain("control-plane", help, StringComparison.Ordinal);
    }

    [Fact]
    public void Help_OfACommand_EndsWithExamples() => Assert.EndsWith("Examples:\n  phi suspend phi-tiny --wait\n", Help(["suspend"]), StringComparison.Ordinal);

    [Theory]
    [InlineData("submit job.yaml --timeout 5m", "--timeout needs --wait")]
    [InlineData("submit job.yaml --wait --timeout soon", "must be a duration above 0, such as 30s")]
    [InlineData("submit job.yaml --wait --timeout 0s", "must be a duration above 0, such as 30s")]
    [InlineData("get -A -n team", "--namespace and --all-namespaces are given")]
    [InlineData("get -o xml", "xml")]
    public void Parse_WhatDoesNotFit_SaysWhy(string line, string expected)
    {
        var words = line.Split(' ');

        Assert.Contains(CommandCatalog.Root(words[0]).Parse(words).Errors, error => error.Message.Contains(expected, StringComparison.Ordinal));
    }

    private static string Help(string[] words)
    {
        using var output = new StringWriter();
        CommandCatalog.Root(words.FirstOrDefault()).Parse([.. words, "--help"]).Invoke(new InvocationConfiguration { Output = output });
        return output.ToString().TrimEnd() + "\n";
    }

    private static Command Find(string path) => path.Split(' ').Aggregate((Command)CommandCatalog.Root(path.Split(' ')[0]), (at, name) => at.Subcommands.Single(command => command.Name == name));

    private static IEnumerable<Command> All(Command root) => root.Subcommands.SelectMany(command => All(command).Prepend(command));
}
