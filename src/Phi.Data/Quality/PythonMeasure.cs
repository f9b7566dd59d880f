namespace Phi.Data.Quality;

/// <summary>
/// Comments, docstrings and names of Python, found by its rules for tokens alone: no parser, so that it says something of a text that
/// does not parse, and of other languages with <c>#</c>. Bytes are counted without white space.
/// </summary>
/// <param name="Bytes">All there are.</param>
/// <param name="Docstrings">Of strings that stand alone: what documents a module, class or function.</param>
/// <param name="Strings">Of the others.</param>
internal readonly record struct PythonMeasure(long Bytes, long Comments, long Docstrings, long Strings, long Names, long NameBytes, long ShortNames, long Definitions)
{
    /// <summary>Of comments and docstrings among all, 0 to 1.</summary>
    public double CommentShare => (double)(Comments + Docstrings) / Math.Max(1, Bytes);

    public static PythonMeasure Of(ReadOnlySpan<byte> text)
    {
        var sum = default(PythonMeasure);
        // Whether nothing of the statement came yet, and how many brackets are open.
        var (atStart, depth) = (true, 0);
        for (var i = 0; i < text.Length;)
        {
            var one = text[i];
            if (one == '\n')
            {
                (atStart, i) = (depth == 0, i + 1);
            }
            else if (IsSpace(one))
            {
                i++;
            }
            else if (one == '#')
            {
                var end = EndOfLine(text, i);
                sum = sum with { Comments = sum.Comments + Dense(text[i..end]) };
                i = end;
            }
            else if (StringAt(text, i) is var quote and >= 0)
            {
                var end = EndOfString(text, quote);
                var bytes = Dense(text[i..end]);
                sum = atStart && depth == 0 ? sum with { Docstrings = sum.Docstrings + bytes } : sum with { Strings = sum.Strings + bytes };
                (atStart, i) = (false, end);
            }
            else if (IsName(one))
            {
                var end = i;
                while (end < text.Length && IsName(text[end]))
                {
                    end++;
                }

                sum = sum.WithName(text[i..end]);
                (atStart, i) = (false, end);
            }
            else
            {
                depth = Math.Max(0, depth + (one is (byte)'(' or (byte)'[' or (byte)'{' ? 1 : one is (byte)')' or (byte)']' or (byte)'}' ? -1 : 0));
                // A backslash at the end of a line continues it.
                i += one == '\\' && i + 1 < text.Length && text[i + 1] == '\n' ? 2 : 1;
                atStart = false;
            }
        }

        return sum with { Bytes = Dense(text) };
    }

    private static bool IsSpace(byte one) => one is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' or 12;

    private static bool IsName(byte one) => one is (byte)'_' or >= 0x80 || char.IsAsciiLetterOrDigit((char)one);

    private static int EndOfLine(ReadOnlySpan<byte> text, int from) => text[from..].IndexOf((byte)'\n') is var length and >= 0 ? from + length : text.Length;

    /// <summary>Where the quote of a string that begins here is, after a prefix such as <c>rb</c>; -1 if none begins.</summary>
    private static int StringAt(ReadOnlySpan<byte> text, int at)
    {
        for (var i = at; i < text.Length && i <= at + 2; i++)
        {
            if (text[i] is (byte)'"' or (byte)'\'')
            {
                return i;
            }

            if (((byte)(text[i] | 0x20)) is not ((byte)'r' or (byte)'b' or (byte)'u' or (byte)'f' or (byte)'t'))
            {
                return -1;
            }
        }

        return -1;
    }

    private static int EndOfString(ReadOnlySpan<byte> text, int quote)
    {
        var mark = text[quote];
        var isLong = quote + 2 < text.Length && text[quote + 1] == mark && text[quote + 2] == mark;
        for (var i = quote + (isLong ? 3 : 1); i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == '\n' && !isLong)
            {
                return i;
            }
            else if (text[i] == mark && (!isLong || i + 2 < text.Length && text[i + 1] == mark && text[i + 2] == mark))
            {
                return i + (isLong ? 3 : 1);
            }
        }

        return text.Length;
    }

    private static long Dense(ReadOnlySpan<byte> text)
    {
        var count = 0L;
        foreach (var one in text)
        {
            count += IsSpace(one) ? 0 : 1;
        }

        return count;
    }

    private PythonMeasure WithName(ReadOnlySpan<byte> name) => char.IsAsciiDigit((char)name[0]) ? this : this with
    {
        Names = Names + 1,
        NameBytes = NameBytes + name.Length,
        ShortNames = ShortNames + (name.Length <= 2 ? 1 : 0),
        Definitions = Definitions + (name.SequenceEqual("def"u8) || name.SequenceEqual("class"u8) ? 1 : 0),
    };
}
