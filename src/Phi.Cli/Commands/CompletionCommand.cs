using System.CommandLine;
using Phi.Cli.Completion;

namespace Phi.Cli.Commands;

/// <summary><c>phi completion SHELL</c>: prints what makes a shell complete phi's command lines.</summary>
internal static class CompletionCommand
{
    public static Command Create()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong([.. CompletionScripts.Shells]);
        var command = new Command("completion", "Print a script by which a shell completes phi's commands, options, and names in the cluster. kubectl phi is completed by kubectl_complete-phi beside phi.") { shell };
        command.WithExamples("source <(phi completion bash)", "source <(phi completion zsh)", "phi completion fish | source");
        command.SetAction(parse => Console.Out.Write(CompletionScripts.Read(parse.GetRequiredValue(shell))));
        return command;
    }
}
