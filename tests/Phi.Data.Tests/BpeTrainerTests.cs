using System.Text;
using System.Text.Json;
using CsCheck;
using Phi.Data.Tokenizers;

namespace Phi.Data.Tests;

/// <summary>The trainer against the definition: count every pair anew before every merge.</summary>
public sealed class BpeTrainerTests
{
    [Fact]
    public void Run_SmallCorpora_FindsTheMergesOfTheDefinition() =>
        Gen.Select(Gen.OneOf((byte)'a', (byte)'b', (byte)'c').Array[1, 14], Gen.Long[1, 9]).Array[1, 25].Sample(
            corpus =>
            {
                var counts = new Dictionary<byte[], long>(ByteSequenceComparer.Instance);
                foreach (var (word, count) in corpus)
                {
                    counts[word] = counts.GetValueOrDefault(word) + count;
                }

                var trained = new BpeMerges(counts);
                trained.Run(300, _ => { }, CancellationToken.None);

                var (merges, tokens) = Define(counts, 300);
                Assert.Equal(merges, trained.Merges);
                Assert.Equal(tokens, trained.Tokens);
            },
            iter: 3000);

    [Fact]
    public void Write_AnyOrderOfTheDocuments_GivesTheSameFiles()
    {
        using var folder = new TestFolder();
        var texts = Enumerable.Range(0, 50).Select(i => Encoding.UTF8.GetBytes($"def f{i}(x): return x * {i % 7}  # größer {i}\n")).ToArray();

        Vocabularies.Train(folder["forward"], 400, texts);
        Vocabularies.Train(folder["backward"], 400, texts.Reverse());

        Assert.Equal(TestFolder.Contents(folder["forward"]), TestFolder.Contents(folder["backward"]));
    }

    [Fact]
    public void Write_Vocabulary_HasTheBytesFirstAndTheEndOfTextLast()
    {
        using var folder = new TestFolder();

        var size = Vocabularies.Train(folder.Root, 260, [Encoding.UTF8.GetBytes("low low lower lowest")]);

        var numbers = JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllBytes(folder["vocab.json"]))!;
        Assert.Equal(260, size);
        Assert.Equal(Enumerable.Range(0, 260), numbers.Values.Order());
        Assert.Equal((65, 259), (numbers["A"], numbers["<|endoftext|>"]));
        Assert.Equal("#version: 0.2\nl o\nlo w\nĠ low\n", File.ReadAllText(folder["merges.txt"]));
    }

    [Fact]
    public void Write_WhenNoPairOccursTwice_StopsShort()
    {
        using var folder = new TestFolder();

        Assert.Equal(258, Vocabularies.Train(folder.Root, 5000, [Encoding.UTF8.GetBytes("ab ab")]));
    }

    [Fact]
    public void Write_TooSmallOrWithoutText_SaysWhatToAskFor()
    {
        using var folder = new TestFolder();

        Assert.Contains("at least 257", Assert.Throws<DataException>(() => Vocabularies.Train(folder.Root, 256, [[1]])).Message, StringComparison.Ordinal);
        Assert.Contains("no text", Assert.Throws<DataException>(() => Vocabularies.Train(folder.Root, 300, [])).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder.Root));
    }

    private static (List<(int, int)> Merges, List<byte[]> Tokens) Define(Dictionary<byte[], long> counts, int size)
    {
        var tokens = Enumerable.Range(0, 256).Select(value => new[] { (byte)value }).ToList();
        var merges = new List<(int, int)>();
        var words = counts.Select(pair => (Tokens: pair.Key.Select(value => (int)value).ToList(), pair.Value)).ToList();
        while (tokens.Count < size)
        {
            var pairs = words.SelectMany(word => word.Tokens.Zip(word.Tokens.Skip(1)).Select(pair => (Pair: pair, word.Value))).GroupBy(pair => pair.Pair)
                .Select(group => (Pair: group.Key, Count: group.Sum(pair => pair.Value))).Where(pair => pair.Count >= 2).ToList();
            if (pairs.Count == 0)
            {
                break;
            }

            var (left, right) = pairs.OrderByDescending(pair => pair.Count).ThenBy(pair => pair.Pair).First().Pair;
            byte[] bytes = [.. tokens[left], .. tokens[right]];
            var made = tokens.FindIndex(token => token.SequenceEqual(bytes));
            if (made < 0)
            {
                made = tokens.Count;
                tokens.Add(bytes);
            }

            merges.Add((left, right));
            foreach (var (word, _) in words)
            {
                for (var i = 0; i + 1 < word.Count; i++)
                {
                    if (word[i] == left && word[i + 1] == right)
                    {
                        word[i] = made;
                        word.RemoveAt(i + 1);
                    }
                }
            }
        }

        return (merges, tokens);
    }
}
