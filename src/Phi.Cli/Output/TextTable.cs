using System.Globalization;

namespace Phi.Cli.Output;

/// <summary>Cells in columns, for terminals and pipes alike: no colours, no frames.</summary>
internal static class TextTable
{
    public const string Nothing = "-";

    /// <param name="cells">The first row is the header.</param>
    public static void Write(IReadOnlyList<string[]> cells, TextWriter to)
    {
        var widths = Widths(cells);
        foreach (var row in cells)
        {
            to.WriteLine(Line(row, widths));
        }
    }

    public static int[] Widths(IReadOnlyList<string[]> cells)
    {
        var widths = new int[cells[0].Length];
        foreach (var row in cells)
        {
            for (var column = 0; column < widths.Length; column++)
            {
                widths[column] = Math.Max(widths[column], row[column].Length);
            }
        }

        return widths;
    }

    public static string Line(string[] row, int[] widths) => string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd();

    /// <summary>"-" for nothing.</summary>
    public static string Cell(FormattableString text) => text.ToString(CultureInfo.InvariantCulture) is { Length: > 0 } given ? given : Nothing;

    /// <summary>As kubectl shows an age: in the largest unit that says enough.</summary>
    public static string Span(TimeSpan span) => span switch
    {
        { TotalSeconds: < 120 } => Cell($"{Math.Max(0, span.TotalSeconds):0}s"),
        { TotalMinutes: < 120 } => Cell($"{span.TotalMinutes:0}m"),
        { TotalHours: < 48 } => Cell($"{span.TotalHours:0}h"),
        _ => Cell($"{span.TotalDays:0}d"),
    };
}
