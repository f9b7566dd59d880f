using System.Text;
using System.Text.Json;

namespace Phi.Data.Tokenizers;

/// <summary>What <c>vocab.json</c> (token to number) and <c>merges.txt</c> (pairs, first the ones that merge first) say.</summary>
internal sealed class BpeVocabulary
{
    public const string EndOfTextText = "<|endoftext|>";
    private const int MostTokens = 1 << 24;

    /// <summary>The number of each byte's token.</summary>
    public int[] ByteTokens { get; } = new int[256];

    /// <summary>Rank and merged token of each pair of tokens, left in the upper half of the key.</summary>
    public Dictionary<ulong, (int Rank, int Token)> Merges { get; } = [];

    /// <summary>Bytes of each token; null for the end of text, and for a number without a token.</summary>
    public List<byte[]?> Tokens { get; } = [];

    /// <summary>Tokens that are written as they are, not in the byte alphabet. No merge leads to them.</summary>
    public Dictionary<string, int> Literals { get; } = new(StringComparer.Ordinal);

    public int EndOfText { get; private init; }

    public static ulong Pair(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    /// <exception cref="DataException">The files are damaged, or of another kind of tokenizer.</exception>
    public static BpeVocabulary Parse(byte[] vocabulary, byte[] merges)
    {
        var numbers = ReadNumbers(vocabulary);
        if (!numbers.Remove(EndOfTextText, out var endOfText))
        {
            throw new DataException($"vocab.json has no token {EndOfTextText}, which ends a document. Add it, or train a tokenizer with phi data train-tokenizer.");
        }

        var result = new BpeVocabulary { EndOfText = endOfText };
        result.Put(endOfText, null);
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (text, number) in numbers)
        {
            var bytes = ByteAlphabet.ToBytes(text);
            result.Put(number, bytes ?? Encoding.UTF8.GetBytes(text));
            (bytes is null ? result.Literals : known).Add(text, number);
        }

        for (var value = 0; value < 256; value++)
        {
            var text = ByteAlphabet.ToText([(byte)value]);
            result.ByteTokens[value] = known.TryGetValue(text, out var token)
                ? token
                : throw new DataException($"vocab.json has no token for the byte {value} ('{text}'): it is no byte-level vocabulary. Use one in GPT-2's format.");
        }

        result.ReadMerges(merges, known);
        return result;
    }

    /// <summary>Gives a token its bytes.</summary>
    public void Put(int number, byte[]? bytes)
    {
        while (Tokens.Count <= number)
        {
            Tokens.Add(null);
        }

        Tokens[number] = bytes;
    }

    private static Dictionary<string, int> ReadNumbers(byte[] vocabulary)
    {
        try
        {
            var numbers = JsonSerializer.Deserialize<Dictionary<string, int>>(vocabulary) ?? [];
            var seen = new HashSet<int>();
            foreach (var (text, number) in numbers)
            {
                if (number is < 0 or >= MostTokens || !seen.Add(number))
                {
                    throw new DataException($"vocab.json numbers the token '{text}' {number}; each token needs a number of its own from 0 to {MostTokens - 1}. Take the file anew.");
                }
            }

            return numbers;
        }
        catch (JsonException e)
        {
            throw new DataException($"vocab.json is no JSON object from token to number: {e.Message} Take the file anew.");
        }
    }

    private void ReadMerges(byte[] merges, Dictionary<string, int> known)
    {
        foreach (var (index, line) in Encoding.UTF8.GetString(merges).Split('\n').Index())
        {
            var text = line.TrimEnd('\r');
            if (text.Length == 0 || (index == 0 && text.StartsWith("#version", StringComparison.Ordinal)))
            {
                continue;
            }

            var parts = text.Split(' ');
            if (parts.Length != 2 || !known.TryGetValue(parts[0], out var left) || !known.TryGetValue(parts[1], out var right) || !known.TryGetValue(parts[0] + parts[1], out var merged))
            {
                throw new DataException($"merges.txt line {index + 1}: '{text}' is no pair of tokens of vocab.json whose union is one too. Take both files from one tokenizer.");
            }

            Merges.TryAdd(Pair(left, right), (Merges.Count, merged));
        }
    }
}
