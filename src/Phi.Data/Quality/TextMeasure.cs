using System.Buffers;
using System.Text;

namespace Phi.Data.Quality;

/// <summary>What the simple rules look at. Characters are Unicode's code points; each byte that is not UTF-8 is one.</summary>
/// <param name="IsText">UTF-8 without a NUL.</param>
/// <param name="LongestLine">Characters, without the line's end.</param>
/// <param name="Lines">At least 1; the end of the last line begins no other.</param>
/// <param name="Alphanumeric">Letters and digits of any script.</param>
internal readonly record struct TextMeasure(bool IsText, long Characters, long Lines, long LongestLine, long Alphanumeric)
{
    /// <summary>Without the ends of the lines.</summary>
    public double MeanLine => (double)(Characters - LineEnds) / Lines;

    /// <summary>Of all characters.</summary>
    public double AlphanumericShare => (double)Alphanumeric / Math.Max(1, Characters);

    private long LineEnds { get; init; }

    public static TextMeasure Of(ReadOnlySpan<byte> content)
    {
        var (isText, characters, ends, longest, alphanumeric, line) = (true, 0L, 0L, 0L, 0L, 0L);
        for (var i = 0; i < content.Length;)
        {
            var one = content[i];
            characters++;
            if (one == '\n')
            {
                (ends, longest, line, i) = (ends + 1, Math.Max(longest, line), 0, i + 1);
                continue;
            }

            line++;
            if (one < 0x80)
            {
                isText &= one != 0;
                alphanumeric += char.IsAsciiLetterOrDigit((char)one) ? 1 : 0;
                i++;
                continue;
            }

            var status = Rune.DecodeFromUtf8(content[i..], out var rune, out var length);
            var isRune = status == OperationStatus.Done;
            isText &= isRune;
            alphanumeric += isRune && Rune.IsLetterOrDigit(rune) ? 1 : 0;
            i += isRune ? length : 1;
        }

        var hasLast = content.Length > 0 && content[^1] != '\n';
        return new TextMeasure(isText, characters, Math.Max(1, ends + (hasLast ? 1 : 0)), Math.Max(longest, line), alphanumeric) { LineEnds = ends };
    }
}
