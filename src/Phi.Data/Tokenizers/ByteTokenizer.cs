using System.Runtime.InteropServices;

namespace Phi.Data.Tokenizers;

/// <summary>Each byte is a token; the 257th ends a document.</summary>
public sealed class ByteTokenizer : ITokenizer
{
    /// <summary>The token after the 256 bytes.</summary>
    private const int EndOfTextToken = 256;

    public int VocabularySize => EndOfTextToken + 1;

    public int EndOfText => EndOfTextToken;

    public void Encode(ReadOnlySpan<byte> text, List<int> tokens)
    {
        var start = tokens.Count;
        CollectionsMarshal.SetCount(tokens, start + text.Length);
        var into = CollectionsMarshal.AsSpan(tokens)[start..];
        for (var i = 0; i < text.Length; i++)
        {
            into[i] = text[i];
        }
    }

    public void Decode(IEnumerable<int> tokens, List<byte> text) => text.AddRange(tokens.Where(token => token is >= 0 and < EndOfTextToken).Select(token => (byte)token));
}
