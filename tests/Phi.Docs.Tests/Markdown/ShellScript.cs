using System.Text;

namespace Phi.Docs.Tests.Markdown;

/// <summary>
/// The simple commands of a shell script, as far as pages use the shell: comments, quotes, continued lines, here-documents, assignments,
/// pipes, lists and command substitution, whose commands count too.
/// </summary>
internal static class ShellScript
{
    public static IReadOnlyList<ShellCommand> Commands(string script)
    {
        var commands = new List<ShellCommand>();
        var lines = script.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n');
        for (var at = 0; at < lines.Length; at++)
        {
            var words = Split(lines[at], commands);
            for (var start = 0; start < words.Count;)
            {
                var end = words.FindIndex(start, word => word.IsOperator);
                end = end < 0 ? words.Count : end;
                Add(words.GetRange(start, end - start), commands);
                start = end + 1;
            }

            if (words.Find(word => word.Text.StartsWith("<<", StringComparison.Ordinal) && !word.Text.StartsWith("<<<", StringComparison.Ordinal)) is { } here)
            {
                var mark = here.Text.TrimStart('<', '-').Trim('\'', '"');
                for (at++; at < lines.Length && lines[at].Trim() != mark; at++)
                {
                }
            }
        }

        return commands;
    }

    private static void Add(List<Word> words, List<ShellCommand> commands)
    {
        var plain = new List<string>();
        for (var at = 0; at < words.Count; at++)
        {
            var text = words[at].Text;
            if (words[at].IsQuoted || text.Length == 0 || (text[0] is not ('<' or '>') && !text.StartsWith("2>", StringComparison.Ordinal)))
            {
                plain.Add(text);
            }
            else if (text is ">" or ">>" or "<" or "2>" or "<<<")
            {
                at++;
            }
        }

        string[] keywords = ["if", "then", "while", "until", "do", "!", "sudo", "time"];
        var first = plain.FindIndex(word => !keywords.Contains(word) && !(word.IndexOf('=', StringComparison.Ordinal) is > 0 and var sign && word[..sign].All(c => char.IsAsciiLetterOrDigit(c) || c == '_')));
        if (first >= 0)
        {
            commands.Add(new ShellCommand(plain[first], plain[(first + 1)..]));
        }
    }

    private static List<Word> Split(string line, List<ShellCommand> inner)
    {
        var (words, word, quoted, begun) = (new List<Word>(), new StringBuilder(), false, false);
        for (var at = 0; at < line.Length; at++)
        {
            var c = line[at];
            switch (c)
            {
                case '#' when !begun:
                    return words;
                case '\'' or '"':
                    var close = Close(line, at);
                    word.Append(Expand(line[(at + 1)..close], c == '"', inner));
                    (at, quoted, begun) = (close, true, true);
                    break;
                case '$' or '<' when at + 1 < line.Length && line[at + 1] == '(':
                    var end = Paren(line, at + 1);
                    inner.AddRange(Commands(line[(at + 2)..end]));
                    word.Append("VALUE");
                    (at, begun) = (end, true);
                    break;
                case '|' or ';' or '&' when !(c == '&' && word.Length > 0 && word[^1] is '>'):
                    Flush();
                    words.Add(new Word(c.ToString(), false, true));
                    break;
                case ' ' or '\t':
                    Flush();
                    break;
                default:
                    word.Append(c);
                    begun = true;
                    break;
            }
        }

        Flush();
        return words;

        void Flush()
        {
            if (begun)
            {
                words.Add(new Word(word.ToString(), quoted, false));
            }

            word.Clear();
            (quoted, begun) = (false, false);
        }
    }

    private static string Expand(string text, bool isExpanded, List<ShellCommand> inner)
    {
        for (int at; isExpanded && (at = text.IndexOf("$(", StringComparison.Ordinal)) >= 0;)
        {
            var end = Paren(text, at + 1);
            inner.AddRange(Commands(text[(at + 2)..end]));
            text = $"{text[..at]}VALUE{text[(end + 1)..]}";
        }

        return text;
    }

    /// <summary>The quote that ends the one at a place; one within a command substitution is the substitution's.</summary>
    private static int Close(string line, int open)
    {
        for (var at = open + 1; at < line.Length; at++)
        {
            if (line[open] == '"' && line[at] == '$' && at + 1 < line.Length && line[at + 1] == '(')
            {
                at = Paren(line, at + 1);
            }
            else if (line[at] == line[open])
            {
                return at;
            }
        }

        return line.Length;
    }

    private static int Paren(string line, int open)
    {
        var depth = 0;
        for (var at = open; at < line.Length; at++)
        {
            depth += line[at] switch { '(' => 1, ')' => -1, _ => 0 };
            if (depth == 0)
            {
                return at;
            }
        }

        return line.Length;
    }

    private sealed record Word(string Text, bool IsQuoted, bool IsOperator);
}
