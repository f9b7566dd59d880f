using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using Phi.Cli;
using Phi.Docs.Tests.Markdown;

namespace Phi.Docs.Tests;

/// <summary>Every <c>phi</c> command of every page is one that the parser takes.</summary>
public sealed partial class PhiCommandTests
{
    private static readonly ParserConfiguration Parser = new() { ResponseFileTokenReplacer = null };

    [Fact]
    public void Commands_OfAllPages_AreTheProgramsOwn()
    {
        var commands = PageCommand.All.Where(one => one.Command.IsPhi).ToList();

        Assert.True(commands.Count > 80, $"{commands.Count}");
        Expect.Nothing(commands.Select(Wrong).OfType<string>());
    }

    [Theory]
    [InlineData("phi frobnicate", "frobnicate")]
    [InlineData("phi get --colour", "--colour")]
    [InlineData("phi logs", "Required")]
    [InlineData("phi up --nodes many", "many")]
    [InlineData("./phi test a; phi bench nonsense", "nonsense")]
    [InlineData("echo $(phi why)", "Required")]
    [InlineData("phi completion tcsh", "tcsh")]
    [InlineData("phi completion SHELL SHELL", "SHELL")]
    [InlineData("phi why [JOB] --colour", "--colour")]
    public void Wrong_ACommandThatIsNone_SaysSo(string script, string says) =>
        Assert.Contains(ShellScript.Commands(script).Where(command => command.IsPhi), command => Wrong(new PageCommand(Page.All[0], 1, command, true))?.Contains(says, StringComparison.Ordinal) == true);

    [Theory]
    [InlineData("phi completion SHELL")]
    [InlineData("phi get [WHAT]")]
    [InlineData("phi up --nodes N")]
    public void Wrong_ALineOfUsage_IsNone(string script) =>
        Assert.Null(Wrong(new PageCommand(Page.All[0], 1, Assert.Single(ShellScript.Commands(script)), true)));

    /// <returns>Null: nothing is.</returns>
    private static string? Wrong(PageCommand one)
    {
        var words = Values([.. one.Command.PhiArguments.Select(word => OptionalPlaceholders().Replace(word, "${name}"))]);
        var errors = words switch
        {
            ["test", ..] => [],
            ["bench", var name, ..] when !name.StartsWith('-') && !Benches().Contains(name) && !name.EndsWith('…') => [$"there is no bench {name}"],
            ["bench", ..] => [],
            _ => Errors(words, one.IsWhole),
        };
        return errors.Count == 0 ? null : $"{one}: {string.Join("; ", errors)}";
    }

    /// <summary>
    /// A placeholder of one letter stands for a number, a longer one for a name, or for any of the values of an argument that takes no others.
    /// </summary>
    private static List<string> Values(List<string> words)
    {
        var result = CommandCatalog.Root(words.FirstOrDefault()).Parse(words, Parser);
        var closed = result.Errors.Select(error => error.SymbolResult).OfType<ArgumentResult>().Where(one => one.Tokens.Count == 1 && one.Argument.Arity.MaximumNumberOfValues == 1)
            .DistinctBy(one => one.Argument).ToDictionary(one => one.Tokens[0].Value, one => one.Argument.GetCompletions(CompletionContext.Empty).FirstOrDefault()?.Label);
        return [.. words.Select(word => !word.All(char.IsAsciiLetterUpper) ? word : word.Length == 1 ? "1" : closed.GetValueOrDefault(word) ?? word.ToLowerInvariant())];
    }

    private static List<string> Errors(List<string> words, bool isWhole)
    {
        var result = CommandCatalog.Root(words.FirstOrDefault()).Parse(words, Parser);
        var errors = result.Errors.Select(error => error.Message).Where(message => isWhole || !message.StartsWith("Required ", StringComparison.Ordinal) && !message.Contains("is required", StringComparison.Ordinal)).ToList();
        // A command that takes names would take an option that it does not have for one of them.
        errors.AddRange(result.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash).Where(token => token.Type == TokenType.Argument && token.Value.StartsWith("--", StringComparison.Ordinal)).Select(token => $"there is no option {token.Value}"));
        return result.Tokens.Any(token => token.Value is "--help" or "--version") ? [] : errors;
    }

    [GeneratedRegex(@"^\[(?<name>[A-Z]+)\]$")]
    private static partial Regex OptionalPlaceholders();

    /// <summary>As the benches' own code names them.</summary>
    private static HashSet<string> Benches() => [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests", "Phi.Benchmarks"), "*Bench.cs", SearchOption.AllDirectories).SelectMany(file => BenchNames().Matches(File.ReadAllText(file))).Select(match => match.Groups["name"].Value)];

    [GeneratedRegex("""string Name => "(?<name>[a-z-]+)";""")]
    private static partial Regex BenchNames();
}
