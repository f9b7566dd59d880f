using System.Globalization;
using System.Text;

namespace Phi.Cli.Output;

/// <summary>Text of other people on a terminal: what would move the cursor, colour, or turn the direction of writing is shown as a sign.</summary>
internal static class Printable
{
    private const char Sign = '\uFFFD';

    /// <summary>A tab is four spaces; no line's end is left.</summary>
    public static string Line(string text)
    {
        var shown = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            shown.Append(rune.Value == '\t' ? "    " : Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned ? Sign.ToString() : rune.ToString());
        }

        return shown.ToString();
    }
}
