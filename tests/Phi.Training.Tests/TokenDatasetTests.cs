using Phi.Data;
using Phi.Data.Preparation;
using Phi.Data.Shards;
using Phi.Training.Data;
using Phi.Training.Kernels;

namespace Phi.Training.Tests;

/// <summary>Samples as a function of (seed, step, sample), from memory and from shards.</summary>
public sealed class TokenDatasetTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("phi dataset ").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void CopySample_FromMemory_BeginsWhereTheCountersSay()
    {
        var tokens = Enumerable.Range(0, 1000).Select(i => (ushort)(i * 31)).ToArray();
        var window = new long[17];

        for (var sample = 0; sample < 50; sample++)
        {
            new TokenDataset(tokens).CopySample(7, sample / 5, sample, window);

            var start = (int)CounterRandom.Below(7, (ulong)sample / 5, (ulong)sample, 1000 - 17 + 1);
            Assert.Equal(tokens[start..(start + 17)].Select(token => (long)token), window);
        }
    }

    [Fact]
    public void Split_HoldsOutTheEnd()
    {
        var (training, heldOut) = new TokenDataset(Enumerable.Range(0, 100).Select(i => (ushort)i).ToArray()).Split(0.25);
        var window = new long[heldOut.Length];

        heldOut.CopySample(1, 0, 0, window);

        Assert.Equal((75, 25), (training.Length, heldOut.Length));
        Assert.Equal(Enumerable.Range(75, 25).Select(i => (long)i), window);
        var last = new long[75];
        training.CopySample(1, 0, 0, last);
        Assert.Equal(74, last[^1]);
    }

    [Fact]
    public void CopySample_ATooShortCorpus_SaysHowManyTokensThereAre() =>
        Assert.Contains("has 3 tokens; one sequence needs 5", Assert.Throws<DataException>(() => new TokenDataset(new ushort[3]).CopySample(1, 1, 1, new long[5])).Message, StringComparison.Ordinal);

    [Fact]
    public async Task CopySample_FromShards_IsAsFromMemory()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "a.txt"), string.Concat(Enumerable.Range(0, 500).Select(i => $"{i} ")), TestContext.Current.CancellationToken);
        var output = Path.Combine(_folder, "out");
        await DataPreparation.RunAsync(new PrepareOptions { Sources = [Path.Combine(_folder, "*.txt")], Output = output, HeldOutFraction = 0, ShardTokens = 11 }, null, CancellationToken.None);
        using var prepared = PreparedFolder.Open(output);
        var all = new long[prepared.Training.Length];
        prepared.Training.CopyTo(0, all);
        var memory = new TokenDataset(all.Select(token => (ushort)token).ToArray());
        var (expected, actual) = (new long[33], new long[33]);

        for (var sample = 0; sample < 200; sample++)
        {
            memory.CopySample(3, sample, sample, expected);
            new TokenDataset(prepared.Training).CopySample(3, sample, sample, actual);

            Assert.Equal(expected, actual);
        }
    }
}
