using System.CommandLine;
using System.CommandLine.Parsing;

namespace Phi.Cli;

/// <summary>The command that a command line names, such as "phi queue ls".</summary>
internal static class CommandPath
{
    public static string Of(ParseResult parse)
    {
        var names = new List<string>();
        for (SymbolResult? at = parse.CommandResult; at is CommandResult { Command: not RootCommand } result; at = result.Parent)
        {
            names.Insert(0, result.Command.Name);
        }

        return string.Join(' ', names.Prepend("phi"));
    }
}
