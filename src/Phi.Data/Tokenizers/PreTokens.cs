using System.Buffers;
using System.Globalization;
using System.Text;

namespace Phi.Data.Tokenizers;

/// <summary>
/// Cuts text into the words that BPE never merges across, as GPT-2's expression does:
/// <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.
/// By hand, because it must take bytes that are no UTF-8 (each is neither letter, number nor space) and letters beyond U+FFFF,
/// which .NET's expressions see as two surrogates.
/// </summary>
internal static class PreTokens
{
    private enum Kind
    {
        Other,
        Letter,
        Number,
        Space,
    }

    private static readonly Kind[] Ascii = [.. Enumerable.Range(0, 128).Select(value => Of(new Rune(value)))];

    /// <summary>Bytes of the first word of a text that is not empty.</summary>
    public static int Next(ReadOnlySpan<byte> text)
    {
        if (text[0] == '\'' && Contraction(text[1..]) is > 0 and var suffix)
        {
            return 1 + suffix;
        }

        var kind = Read(text, out var first);
        if (kind != Kind.Space)
        {
            return first + Run(text[first..], kind, out _);
        }

        if (text[0] == ' ' && text.Length > 1 && Read(text[1..], out var second) is not Kind.Space and var next)
        {
            return 1 + second + Run(text[(1 + second)..], next, out _);
        }

        // Spaces before a word leave the last one to it.
        var spaces = first + Run(text[first..], Kind.Space, out var last);
        return spaces < text.Length && spaces > first ? spaces - last : spaces;
    }

    private static int Contraction(ReadOnlySpan<byte> text) => text switch
    {
        [(byte)'s' or (byte)'t' or (byte)'m' or (byte)'d', ..] => 1,
        [(byte)'r' or (byte)'v', (byte)'e', ..] or [(byte)'l', (byte)'l', ..] => 2,
        _ => 0,
    };

    /// <summary>Bytes of the characters of one kind at the start, and of the last of them.</summary>
    private static int Run(ReadOnlySpan<byte> text, Kind kind, out int last)
    {
        var at = 0;
        last = 0;
        while (at < text.Length && Read(text[at..], out var length) == kind)
        {
            at += length;
            last = length;
        }

        return at;
    }

    private static Kind Read(ReadOnlySpan<byte> text, out int length)
    {
        if (text[0] < 128)
        {
            length = 1;
            return Ascii[text[0]];
        }

        return Rune.DecodeFromUtf8(text, out var rune, out length) == OperationStatus.Done ? Of(rune) : Kind.Other;
    }

    private static Kind Of(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => Kind.Letter,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Number,
        _ => Rune.IsWhiteSpace(rune) ? Kind.Space : Kind.Other,
    };
}
