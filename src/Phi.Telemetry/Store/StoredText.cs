using System.Text;

namespace Phi.Telemetry.Store;

/// <summary>Text that others wrote, as either database takes it.</summary>
internal static class StoredText
{
    /// <summary>PostgreSQL takes neither a NUL nor half a surrogate pair.</summary>
    public static string Of(string text, int most)
    {
        var cut = text.Length <= most ? text : char.IsHighSurrogate(text[most - 1]) ? text[..(most - 1)] : text[..most];
        return new string([.. Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(cut)).Select(letter => letter == '\0' ? '\uFFFD' : letter)]);
    }
}
