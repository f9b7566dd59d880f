using System.Text;
using CsCheck;
using Phi.Data.Quality;

namespace Phi.Data.Tests;

/// <summary>Signatures of documents, and which of them are near.</summary>
public sealed class NearDuplicatesTests
{
    [Fact]
    public void Similarity_OfSignatures_IsCloseToTheJaccardSimilarityOfTheShingles() => Gen.Select(Gen.Int[1, 100_000], Gen.Int[0, 300]).Sample((seed, changed) =>
    {
        var words = Enumerable.Range(0, 400).Select(i => $"w{seed}_{i}").ToArray();
        var other = words.Select((word, i) => i < changed ? word + "x" : word);
        var (one, two) = (Bytes(words), Bytes(other));
        var (a, b) = (Shingles.Of(one).ToHashSet(), Shingles.Of(two).ToHashSet());
        var jaccard = (double)a.Intersect(b).Count() / a.Union(b).Count();

        // Five standard deviations of 128 draws.
        Assert.InRange(MinHash.Similarity(MinHash.Of(one)!, MinHash.Of(two)!), jaccard - 0.22, jaccard + 0.22);
    }, iter: 200);

    [Fact]
    public void Similarity_OverManyPairs_IsRightOnAverage()
    {
        var off = Enumerable.Range(0, 300).Average(seed =>
        {
            var words = Enumerable.Range(0, 200).Select(i => $"w{seed}_{i}").ToArray();
            var (one, two) = (Bytes(words), Bytes(words[..^40].Concat(Enumerable.Range(0, 40).Select(i => $"n{seed}_{i}"))));
            var (a, b) = (Shingles.Of(one).ToHashSet(), Shingles.Of(two).ToHashSet());
            return MinHash.Similarity(MinHash.Of(one)!, MinHash.Of(two)!) - (double)a.Intersect(b).Count() / a.Union(b).Count();
        });

        Assert.InRange(off, -0.01, 0.01);
    }

    [Fact]
    public void Of_TextsThatDifferInLayoutAlone_AreTheSame()
    {
        Assert.Equal(MinHash.Of("def f(a, b):\n    return a + b\n"u8), MinHash.Of("def f(a,b): return a+b"u8));
        Assert.NotEqual(MinHash.Of("def f(a, b):\n    return a + b\n"u8), MinHash.Of("def f(a, b):\n    return b + a\n"u8));
        Assert.Null(MinHash.Of(" \n+-*/\n"u8));
    }

    [Fact]
    public void Of_LongTextsWithoutAWordInCommon_AreFar()
    {
        // The least of many values are small: their upper bits alone would be the same.
        var (one, two) = (Bytes(Enumerable.Range(0, 200_000).Select(i => $"a{i}")), Bytes(Enumerable.Range(0, 200_000).Select(i => $"b{i}")));

        Assert.InRange(MinHash.Similarity(MinHash.Of(one)!, MinHash.Of(two)!), 0, 0.05);
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.7)]
    [InlineData(0.85)]
    [InlineData(1)]
    public void Rows_OfAThreshold_FindAPairThere(double threshold)
    {
        var rows = NearDuplicates.Rows(threshold);

        Assert.InRange(1 - Math.Pow(1 - Math.Pow(threshold, rows), MinHash.Entries / rows), 0.99, 1);
    }

    [Fact]
    public void IsNearToOne_AmongManyOthers_FindsTheChangedCopies()
    {
        var near = new NearDuplicates(0.8, long.MaxValue);
        string[] Words(int number) => [.. Enumerable.Range(0, 100).Select(i => $"w{number}_{i}")];
        Assert.All(Enumerable.Range(0, 500), number => Assert.False(near.IsNearToOne(MinHash.Of(Bytes(Words(number)))!)));

        // One word of a hundred is in five shingles: 91 of 101 are in both. Twenty in a row are in 24: 72 of 120.
        var found = Enumerable.Range(0, 500).Count(number => near.IsNearToOne(MinHash.Of(Bytes(Words(number).Select((word, i) => i == 50 ? "other" : word)))!));
        var far = Enumerable.Range(0, 500).Count(number => near.IsNearToOne(MinHash.Of(Bytes(Words(number).Select((word, i) => i < 20 ? $"z{number}_{i}" : word)))!));

        Assert.InRange(found, 490, 500);
        Assert.InRange(far, 0, 100);
    }

    [Fact]
    public void IsNearToOne_BeyondTheMemoryGiven_SaysWhatToDo()
    {
        var near = new NearDuplicates(0.85, NearDuplicates.BytesOfADocument(0.85) * 2);
        near.IsNearToOne(MinHash.Of("one"u8)!);
        near.IsNearToOne(MinHash.Of("two"u8)!);

        var error = Assert.Throws<DataException>(() => near.IsNearToOne(MinHash.Of("three"u8)!));

        Assert.Contains("of more than 2 documents", error.Message, StringComparison.Ordinal);
        Assert.True(near.IsNearToOne(MinHash.Of("two"u8)!));
    }

    private static byte[] Bytes(IEnumerable<string> words) => Encoding.UTF8.GetBytes(string.Join(' ', words));
}
