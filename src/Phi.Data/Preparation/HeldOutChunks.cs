using Phi.Data.Shards;
using Phi.Data.Tokenizers;

namespace Phi.Data.Preparation;

/// <summary>
/// Holding out parts of documents, for corpora whose whole documents are too few to: the chunks of the lowest hashes, as many as make the
/// share, or the least number of tokens where that is more; never more than half and one chunk.
/// </summary>
internal static class HeldOutChunks
{
    private const int ChunkBytes = 1024;

    /// <summary>Consecutive chunks of a document, and whether each is held out.</summary>
    public static IEnumerable<(ReadOnlyMemory<byte> Chunk, bool IsHeldOut)> Cut(byte[] content, HeldOutRule rule)
    {
        for (var start = 0; start < content.Length; start += rule.ChunkBytes)
        {
            var chunk = content.AsMemory(start, Math.Min(rule.ChunkBytes, content.Length - start));
            yield return (chunk, ContentHash.Of(chunk.Span).Place < rule.Threshold);
        }
    }

    /// <summary>Reads and tokenises the whole corpus to find the threshold.</summary>
    public static async Task<HeldOutRule> PlanAsync(PreparedInputs inputs, DocumentStream stream, ITokenizer tokenizer, CancellationToken cancellationToken)
    {
        var rule = new HeldOutRule(ChunkBytes, 0);
        var counts = new SortedDictionary<ulong, long>();
        var tokens = new List<int>();
        await foreach (var document in stream.ReadAsync(cancellationToken))
        {
            foreach (var (chunk, _) in Cut(document.Content, rule))
            {
                tokens.Clear();
                tokenizer.Encode(chunk.Span, tokens);
                var place = ContentHash.Of(chunk.Span).Place;
                counts[place] = counts.GetValueOrDefault(place) + tokens.Count;
            }
        }

        var total = counts.Values.Sum();
        var wanted = Math.Min(Math.Max(inputs.LeastHeldOut, (long)Math.Ceiling(inputs.HeldOutFraction * total)), total / 2);
        var held = 0L;
        foreach (var (place, count) in counts)
        {
            // Something is left to train on, whatever happens.
            if (held >= wanted || held + count == total)
            {
                return rule with { Threshold = place };
            }

            held += count;
        }

        return rule;
    }
}
