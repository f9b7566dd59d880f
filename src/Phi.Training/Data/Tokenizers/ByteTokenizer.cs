using System.Runtime.InteropServices;

namespace Phi.Training.Data.Tokenizers;

/// <summary>Each byte is a token; the 257th ends a document.</summary>
public sealed class ByteTokenizer : ITokenizer
{
    public int VocabularySize => 257;

    public int EndOfText => ByteCorpus.EndOfText;

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

    public void Decode(IEnumerable<int> tokens, List<byte> text) => text.AddRange(tokens.Where(token => token is >= 0 and < ByteCorpus.EndOfText).Select(token => (byte)token));
}
