namespace Phi.Data.Quality.Classifier;

/// <summary>A handful of numbers on how a text is written. Each lies in [0, 1], by divisions alone: the same on every machine.</summary>
internal static class TextStyle
{
    public static IReadOnlyList<string> Names { get; } =
    [
        "comments", "docstrings", "strings", "blank lines", "mean line", "longest line", "letters and digits", "digits", "beyond ASCII",
        "mean name", "short names", "distinct words", "definitions a line", "docstrings a definition", "indentation", "length",
    ];

    /// <param name="words">All, and how many of them are distinct.</param>
    public static double[] Of(ReadOnlySpan<byte> text, (long All, long Distinct) words)
    {
        var (measure, python, lines) = (TextMeasure.Of(text), PythonMeasure.Of(text), LinesOf(text));
        return
        [
            Share(python.Comments, python.Bytes),
            Share(python.Docstrings, python.Bytes),
            Share(python.Strings, python.Bytes),
            Share(lines.Blank, measure.Lines),
            Bounded(measure.MeanLine, 40),
            Bounded(measure.LongestLine, 120),
            measure.AlphanumericShare,
            Share(lines.Digits, measure.Characters),
            Share(lines.BeyondAscii, text.Length),
            Bounded((double)python.NameBytes / Math.Max(1, python.Names), 8),
            Share(python.ShortNames, python.Names),
            Share(words.Distinct, words.All),
            Bounded((double)python.Definitions / measure.Lines, 0.1),
            Bounded(python.Docstrings / (100.0 * Math.Max(1, python.Definitions)), 1),
            Bounded((double)lines.Indented / measure.Lines, 8),
            Bounded(text.Length, 4096),
        ];
    }

    private static double Share(long part, long all) => (double)part / Math.Max(1, all);

    private static double Bounded(double value, double half) => value / (value + half);

    private static (long Blank, long Indented, long Digits, long BeyondAscii) LinesOf(ReadOnlySpan<byte> text)
    {
        var (blank, indented, digits, beyond, atStart) = (0L, 0L, 0L, 0L, true);
        foreach (var one in text)
        {
            if (one == '\n')
            {
                blank += atStart ? 1 : 0;
                atStart = true;
            }
            else if (one is (byte)' ' or (byte)'\t' or (byte)'\r')
            {
                indented += !atStart ? 0 : one == '\t' ? 8 : 1;
            }
            else
            {
                digits += char.IsAsciiDigit((char)one) ? 1 : 0;
                beyond += one >= 0x80 ? 1 : 0;
                atStart = false;
            }
        }

        return (blank, indented, digits, beyond);
    }
}
