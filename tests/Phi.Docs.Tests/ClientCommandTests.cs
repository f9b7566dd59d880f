using System.Text.RegularExpressions;
using Phi.Docs.Tests.Markdown;

namespace Phi.Docs.Tests;

/// <summary>Every <c>kubectl</c> and <c>helm</c> command of every page has a verb and options that the real programs know, and values that the chart has.</summary>
public sealed class ClientCommandTests
{
    /// <summary>Verbs whose next words may be verbs too.</summary>
    private static readonly string[] Nested = ["auth", "config", "create", "get", "repo", "rollout", "set", "top"];

    /// <summary>Options that take the next word, where they may stand before the verb.</summary>
    private static readonly string[] BeforeTheVerb = ["-n", "--namespace", "--kubeconfig", "--context"];

    [Theory]
    [InlineData("kubectl", 30)]
    [InlineData("helm", 6)]
    public void Commands_OfAllPages_AreTheProgramsOwn(string program, int least)
    {
        var commands = PageCommand.All.Where(one => one.Command.Program == program && !one.Command.IsPhi).ToList();

        Assert.True(commands.Count >= least, $"{commands.Count}");
        Expect.Nothing(commands.SelectMany(one => Wrong(one.Command).Select(error => $"{one}: {error}")));
    }

    [Theory]
    [InlineData("kubectl frobnicate pods", "frobnicate")]
    [InlineData("kubectl get pods --colour", "--colour")]
    [InlineData("helm upgrade phi DIR --set postgress.enabled=true", "postgress")]
    [InlineData("helm upgrade phi DIR --set operator.replica=3", "replica")]
    public void Wrong_ACommandThatIsNone_SaysSo(string script, string says) =>
        Assert.Contains(ShellScript.Commands(script).SelectMany(Wrong), error => error.Contains(says, StringComparison.Ordinal));

    private static IEnumerable<string> Wrong(ShellCommand command)
    {
        var words = command.Arguments;
        if (Verb(words) is not { } at)
        {
            return [];
        }

        string[] verbs = [.. words.Skip(at).TakeWhile(word => !word.StartsWith('-')).Take(Nested.Contains(words[at]) ? 3 : 1)];
        var help = ProgramHelp.Of(command.Program, verbs) ?? ProgramHelp.Of(command.Program, [words[at]]);
        if (help is null)
        {
            return [$"{command.Program} has no {words[at]}"];
        }

        // What follows -- is another program's.
        var known = help + (command.Program == "kubectl" ? ProgramHelp.Of("kubectl", ["options"]) : "");
        return words.TakeWhile(word => word != "--").Where(word => word.StartsWith('-') && word.Length > 1).Select(word => word.Split('=')[0])
            .Where(name => !Regex.IsMatch(known, $@"(^|[\s,]){Regex.Escape(name)}([\s=,:]|$)")).Select(name => $"{command.Program} {words[at]} has no {name}")
            .Concat(command.Program == "helm" ? ChartValues.Wrong(words) : []);
    }

    private static int? Verb(IReadOnlyList<string> words)
    {
        for (var at = 0; at < words.Count; at++)
        {
            if (!words[at].StartsWith('-'))
            {
                return at;
            }

            at += BeforeTheVerb.Contains(words[at]) ? 1 : 0;
        }

        return null;
    }
}
