using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Phi.Cli.Commands;

namespace Phi.Cli.Output;

/// <summary>Help: of the whole program by groups of commands, of one command with examples.</summary>
internal sealed class GroupedHelp(HelpAction standard) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        var (command, to) = (parseResult.CommandResult.Command, parseResult.InvocationConfiguration.Output);
        if (command is RootCommand root)
        {
            Write(root, to);
            return ExitCodes.Succeeded;
        }

        var code = standard.Invoke(parseResult);
        if (Examples.Of(command) is { Count: > 0 } examples)
        {
            to.WriteLine("Examples:");
            foreach (var example in examples)
            {
                to.WriteLine($"  {example}");
            }
        }

        return code;
    }

    private static void Write(RootCommand root, TextWriter to)
    {
        to.WriteLine(root.Description);
        to.WriteLine();
        to.WriteLine("Usage: phi COMMAND [ARGUMENTS] [OPTIONS]      or, through kubectl: kubectl phi COMMAND …");
        var width = root.Subcommands.Max(command => command.Name.Length);
        foreach (var group in CommandCatalog.All.GroupBy(entry => entry.Group))
        {
            to.WriteLine();
            to.WriteLine($"{group.Key}:");
            foreach (var command in group.Select(entry => root.Subcommands.First(one => one.Name == entry.Name)).Where(command => !command.Hidden))
            {
                to.WriteLine($"  {command.Name.PadRight(width)}  {command.Description}");
            }
        }

        to.WriteLine();
        to.WriteLine("phi COMMAND --help says more of each. A first model: phi run operators/samples/phi-tiny.yaml");
        to.WriteLine("Cluster: --kubeconfig, else $KUBECONFIG, else the local control plane if it runs, else ~/.kube/config.");
        to.WriteLine("phi --version prints the version. Exit codes: README.md.");
    }
}
