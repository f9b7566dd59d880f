namespace Phi.Data.Tokenizers;

/// <summary>Between text and tokens. Safe for several threads.</summary>
public interface ITokenizer
{
    /// <summary>Tokens are in [0, VocabularySize).</summary>
    int VocabularySize { get; }

    /// <summary>The token that ends a document.</summary>
    int EndOfText { get; }

    /// <summary>Appends the text's tokens, without an end-of-text token.</summary>
    /// <param name="text">UTF-8; what is not, each tokenizer reads in its own way.</param>
    void Encode(ReadOnlySpan<byte> text, List<int> tokens);

    /// <summary>Appends the bytes of the tokens; an end-of-text token has none.</summary>
    void Decode(IEnumerable<int> tokens, List<byte> text);
}
