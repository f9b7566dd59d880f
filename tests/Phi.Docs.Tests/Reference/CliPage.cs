using System.CommandLine;
using System.Globalization;
using System.Text;
using Phi.Cli;

namespace Phi.Docs.Tests.Reference;

/// <summary>Every command with its arguments and options, as the parser knows them.</summary>
internal static class CliPage
{
    public static string Write()
    {
        var text = new StringBuilder($"# phi\n\nEvery command of `phi`; `phi COMMAND --help` prints the same. Exit codes: [README.md](../../README.md). {MarkdownText.Generated}\n");
        foreach (var command in CommandCatalog.Root(null).Subcommands)
        {
            Command(text, "phi", command);
        }

        return text.ToString();
    }

    private static void Command(StringBuilder text, string parent, Command command)
    {
        if (command.Hidden)
        {
            return;
        }

        var name = $"{parent} {command.Name}";
        if (command.Subcommands.Count == 0)
        {
            var usage = string.Join(' ', command.Arguments.Where(one => !one.Hidden).Select(one => one.Arity.MinimumNumberOfValues == 0 ? $"[{one.Name.ToUpperInvariant()}]" : one.Name.ToUpperInvariant()).Prepend(name));
            text.Append(CultureInfo.InvariantCulture, $"\n## {name}\n\n`{usage}`\n\n{MarkdownText.Cell(command.Description)}\n");
            Symbols(text, command);
        }

        foreach (var child in command.Subcommands)
        {
            Command(text, name, child);
        }
    }

    private static void Symbols(StringBuilder text, Command command)
    {
        var rows = command.Arguments.Where(one => !one.Hidden).Select(one => (Names: one.Name.ToUpperInvariant(), Text: one.Description))
            .Concat(command.Options.Where(one => !one.Hidden).Select(one => (Names: string.Join("`, `", one.Aliases.Order(StringComparer.Ordinal).Prepend(one.Name)), Text: one.Required ? $"Required. {one.Description}" : one.Description)))
            .ToList();
        if (rows.Count == 0)
        {
            return;
        }

        text.Append("\n| | |\n| --- | --- |\n");
        rows.ForEach(row => text.Append(CultureInfo.InvariantCulture, $"| `{row.Names}` | {MarkdownText.Cell(row.Text)} |\n"));
    }
}
