using System.Text;

namespace Phi.Data.Quality.Classifier;

/// <summary>The beginning of a document, which is all that a person labels and the classifier looks at.</summary>
public static class Excerpt
{
    public const int MostBytes = 64 << 10;

    /// <summary>Ends between two code points.</summary>
    public static ReadOnlySpan<byte> Of(ReadOnlySpan<byte> content)
    {
        if (content.Length <= MostBytes)
        {
            return content;
        }

        var end = MostBytes;
        while (end > MostBytes - 4 && (content[end] & 0xC0) == 0x80)
        {
            end--;
        }

        return content[..end];
    }

    /// <summary>Null for what is no text: not UTF-8, or with a NUL.</summary>
    internal static string? TextOf(ReadOnlySpan<byte> content)
    {
        var excerpt = Of(content);
        return System.Text.Unicode.Utf8.IsValid(excerpt) && !excerpt.Contains((byte)0) ? Encoding.UTF8.GetString(excerpt) : null;
    }
}
