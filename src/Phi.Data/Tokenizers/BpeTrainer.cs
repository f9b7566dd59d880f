using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Phi.Data.Tokenizers;

/// <summary>Trains a byte-level BPE tokenizer on documents; <see cref="Write"/> saves it as GPT-2's two files.</summary>
public sealed class BpeTrainer
{
    /// <summary>The bytes and the end of text.</summary>
    public const int LeastVocabulary = 257;
    private readonly WordCounts _words = new();

    /// <summary>Bytes of the documents read.</summary>
    public long Bytes { get; private set; }

    public void Add(ReadOnlySpan<byte> document)
    {
        _words.Add(document);
        Bytes += document.Length;
    }

    /// <summary>Writes vocab.json and merges.txt into the folder; the same documents in any order give the same files.</summary>
    /// <param name="vocabularySize">Tokens, the end of text included: the 256 bytes are 0 to 255, then the merged ones, and the end of text is the last.</param>
    /// <param name="progress">Hears the number of tokens after each merge.</param>
    /// <returns>Tokens of the vocabulary: fewer than asked for if no pair of tokens is left that occurs twice.</returns>
    /// <exception cref="DataException">There is no text, or the vocabulary cannot hold the bytes.</exception>
    public int Write(int vocabularySize, string folder, Action<int> progress, CancellationToken cancellationToken)
    {
        if (vocabularySize < LeastVocabulary)
        {
            throw new DataException($"a vocabulary of {vocabularySize} cannot hold the 256 bytes and {BpeVocabulary.EndOfTextText}; ask for at least {LeastVocabulary}.");
        }

        if (Bytes == 0)
        {
            throw new DataException("the sources hold no text to train a tokenizer on. Name others.");
        }

        var trained = new BpeMerges(_words.Counts);
        trained.Run(vocabularySize - 1, progress, cancellationToken);
        var texts = trained.Tokens.ConvertAll(token => ByteAlphabet.ToText(token));
        var merges = new StringBuilder("#version: 0.2\n");
        foreach (var (left, right) in trained.Merges)
        {
            merges.Append(texts[left]).Append(' ').Append(texts[right]).Append('\n');
        }

        TokenizerFiles.WriteVocabulary(folder, WriteVocabulary(texts), Encoding.UTF8.GetBytes(merges.ToString()));
        return texts.Count + 1;
    }

    private static byte[] WriteVocabulary(List<string> texts)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            foreach (var (number, text) in texts.Append(BpeVocabulary.EndOfTextText).Index())
            {
                writer.WriteNumber(text, number);
            }

            writer.WriteEndObject();
        }

        return stream.ToArray();
    }
}
