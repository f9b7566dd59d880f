using System.Collections.Concurrent;

namespace Phi.Data.Tokenizers;

/// <summary>
/// Byte-level BPE over GPT-2's words, for the vocabularies of codegen and of <c>phi data train-tokenizer</c>. It reads bytes, not strings, so
/// that decoding gives back any file; and <c>&lt;|endoftext|&gt;</c> within a document is text like any other.
/// </summary>
public sealed class BpeTokenizer : ITokenizer
{
    private readonly BpeVocabulary _vocabulary;
    private readonly SpaceRuns? _runs;
    private readonly ConcurrentBag<BpeWords> _free = [];

    internal BpeTokenizer(BpeVocabulary vocabulary, bool hasSpaceRuns)
    {
        _vocabulary = vocabulary;
        _runs = hasSpaceRuns ? new SpaceRuns(vocabulary) : null;
    }

    /// <summary>Null for a tokenizer without tokens for them.</summary>
    internal SpaceRuns? Runs => _runs;

    public int VocabularySize => _vocabulary.Tokens.Count;

    public int EndOfText => _vocabulary.EndOfText;

    public void Encode(ReadOnlySpan<byte> text, List<int> tokens)
    {
        if (!_free.TryTake(out var words))
        {
            words = new BpeWords(_vocabulary);
        }

        while (_runs is not null && !text.IsEmpty)
        {
            var at = _runs.Find(text, out var length, out var token);
            EncodeWords(text[..at], words, tokens);
            text = text[(at + length)..];
            if (length > 0)
            {
                tokens.Add(token);
            }
        }

        EncodeWords(text, words, tokens);
        _free.Add(words);
    }

    public void Decode(IEnumerable<int> tokens, List<byte> text)
    {
        foreach (var token in tokens)
        {
            if (token >= 0 && token < _vocabulary.Tokens.Count && _vocabulary.Tokens[token] is { } bytes)
            {
                text.AddRange(bytes);
            }
        }
    }

    private static void EncodeWords(ReadOnlySpan<byte> text, BpeWords words, List<int> tokens)
    {
        while (!text.IsEmpty)
        {
            var length = PreTokens.Next(text);
            words.Encode(text[..length], tokens);
            text = text[length..];
        }
    }
}
