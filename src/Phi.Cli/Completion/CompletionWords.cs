using System.CommandLine;

namespace Phi.Cli.Completion;

/// <summary>Words of a command line up to the one that is being typed: which command it is, and what stands in the word's place.</summary>
internal sealed class CompletionWords
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly List<string> _arguments = [];

    private CompletionWords(Command command, string word) => (Command, Word) = (command, word);

    public Command Command { get; private set; }

    /// <summary>What is typed of the word so far.</summary>
    public string Word { get; private set; }

    /// <summary>What comes before the word's value: <c>--output=</c>, or nothing.</summary>
    public string Prefix { get; private set; } = "";

    /// <summary>The option whose value the word is; null: it is none.</summary>
    public Option? Option { get; private set; }

    /// <summary>Arguments of the command before the word.</summary>
    public IReadOnlyList<string> Arguments => _arguments;

    public string? Value(string option) => _values.GetValueOrDefault(option);

    /// <param name="words">After the program's name; the last one is being typed.</param>
    public static CompletionWords Read(Command root, IReadOnlyList<string> words)
    {
        var read = new CompletionWords(root, words[^1]);
        foreach (var word in words.SkipLast(1))
        {
            read.Take(word);
        }

        if (read.Option is null && read.Word.StartsWith("--", StringComparison.Ordinal) && read.Word.Split('=', 2) is [var name, var value] && Find(read.Command, name) is { } option)
        {
            (read.Option, read.Word, read.Prefix) = (option, value, $"{name}=");
        }

        return read;
    }

    private void Take(string word)
    {
        if (Option is { } waiting)
        {
            _values[waiting.Name] = word;
            Option = null;
        }
        else if (word.Length > 1 && word[0] == '-')
        {
            var parts = word.Split('=', 2);
            var option = Find(Command, parts[0]);
            if (option is not null && parts is [_, var value])
            {
                _values[option.Name] = value;
            }
            else if (option is not null && option.ValueType != typeof(bool) && option.Arity.MaximumNumberOfValues > 0)
            {
                Option = option;
            }
        }
        else if (_arguments.Count == 0 && Command.Subcommands.FirstOrDefault(one => one.Name == word) is { } sub)
        {
            Command = sub;
        }
        else
        {
            _arguments.Add(word);
        }
    }

    private static Option? Find(Command command, string name) => command.Options.FirstOrDefault(one => one.Name == name || one.Aliases.Contains(name));
}
