using System.CommandLine;
using System.CommandLine.Completions;
using Phi.Cli.Resources;

namespace Phi.Cli.Completion;

/// <summary>
/// What could stand in the place of the word that is being typed, in the form that kubectl asks of its plugins (and cobra's scripts of every
/// program): a candidate a line, then a line with what the shell may add itself.
/// </summary>
internal static class CompletionAnswer
{
    private const string NoFiles = ":4";
    private const string FilesToo = ":0";

    /// <param name="words">After the program's name; the last one is being typed.</param>
    public static async Task WriteAsync(IReadOnlyList<string> words, TextWriter to)
    {
        var read = CompletionWords.Read(CommandCatalog.Root(words.Count > 1 ? words[0] : null), words.Count == 0 ? [""] : words);
        var symbol = Place(read);
        var kind = symbol is null ? CompletionKind.None : CompletionKinds.Of(symbol);
        List<string> candidates =
        [
            .. Own(read, symbol),
            .. await ClusterNames.ReadAsync(kind, read),
        ];
        foreach (var candidate in candidates.Where(one => one.StartsWith(read.Word, StringComparison.Ordinal)).Distinct())
        {
            to.WriteLine(read.Prefix + candidate);
        }

        to.WriteLine(kind is CompletionKind.File or CompletionKind.Checkpoint ? FilesToo : NoFiles);
    }

    /// <summary>The option or argument whose value the word is; null: it is neither.</summary>
    private static Symbol? Place(CompletionWords read)
    {
        if (read.Option is not null || read.Word.StartsWith('-'))
        {
            return read.Option;
        }

        var last = read.Command.Arguments.LastOrDefault();
        return read.Command.Arguments.ElementAtOrDefault(read.Arguments.Count) ?? (last?.Arity.MaximumNumberOfValues > 1 ? last : null);
    }

    /// <summary>What the command line itself defines.</summary>
    private static IEnumerable<string> Own(CompletionWords read, Symbol? symbol)
    {
        if (symbol is null && read.Word.StartsWith('-'))
        {
            return read.Command.Options.Where(option => !option.Hidden).SelectMany(option => option.Aliases.Prepend(option.Name)).Where(name => name.StartsWith("--", StringComparison.Ordinal) || read.Word == "-");
        }

        return symbol switch
        {
            Option option => option.GetCompletions(CompletionContext.Empty).Select(item => item.Label),
            _ when read.Arguments.Count == 0 && CompletionKinds.Of(symbol ?? read.Command) == CompletionKind.Listed => ResourceKind.All.Select(kind => kind.Words[0]),
            Argument argument => argument.GetCompletions(CompletionContext.Empty).Select(item => item.Label),
            _ => read.Arguments.Count == 0 ? read.Command.Subcommands.Where(command => !command.Hidden).Select(command => command.Name) : [],
        };
    }
}
