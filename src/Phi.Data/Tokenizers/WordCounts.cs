namespace Phi.Data.Tokenizers;

/// <summary>How often each word of GPT-2's cut occurs in the documents read so far.</summary>
internal sealed class WordCounts
{
    private readonly Dictionary<byte[], long> _counts = new(ByteSequenceComparer.Instance);

    public IReadOnlyDictionary<byte[], long> Counts => _counts;

    public void Add(ReadOnlySpan<byte> document)
    {
        var lookup = _counts.GetAlternateLookup<ReadOnlySpan<byte>>();
        while (!document.IsEmpty)
        {
            var length = PreTokens.Next(document);
            var word = document[..length];
            lookup.TryGetValue(word, out var count);
            lookup[word] = count + 1;
            document = document[length..];
        }
    }
}
