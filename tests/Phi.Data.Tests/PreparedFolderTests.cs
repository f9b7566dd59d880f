using CsCheck;
using Phi.Data.Preparation;
using Phi.Data.Shards;

namespace Phi.Data.Tests;

/// <summary>Reading prepared folders, whole and damaged.</summary>
public sealed class PreparedFolderTests : IAsyncLifetime
{
    /// <summary>In memory: hundreds of shards are flushed to the disk.</summary>
    private readonly TestFolder _folder = new("/dev/shm");

    public async ValueTask InitializeAsync()
    {
        _folder.Write("in/a.txt", string.Concat(Enumerable.Range(0, 500).Select(i => $"{i} ")));
        await DataPreparation.RunAsync(
            new PrepareOptions { Sources = [_folder["in"]], Output = _folder["out"], HeldOutFraction = 0, ShardTokens = 7 }, progress: null, CancellationToken.None);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public void CopyTo_AnyWindow_IsThatPartOfTheWholeAcrossShards()
    {
        var all = DataPreparationTests.Tokens(_folder["out"]).Training;
        using var prepared = PreparedFolder.Open(_folder["out"]);
        Assert.True(prepared.Index.Training.Shards.Count > 200);

        Gen.Select(Gen.Int[0, all.Count], Gen.Int[0, 40]).Where((start, length) => start + length <= all.Count).Sample((start, length) =>
        {
            var window = new long[length];
            prepared.Training.CopyTo(start, window);
            Assert.Equal(all.Skip(start).Take(length), window);
        });
        Assert.Throws<ArgumentOutOfRangeException>(() => prepared.Training.CopyTo(all.Count - 1, new long[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => prepared.Training.CopyTo(-1, new long[2]));
    }

    [Fact]
    public async Task Verify_AWholeFolder_IsGood() => Assert.Equal(1, (await PreparedFolder.VerifyAsync(_folder["out"], CancellationToken.None)).Documents);

    [Fact]
    public void Open_AShortShard_NamesItsSize()
    {
        File.WriteAllBytes(_folder["out/training-00003.tokens"], [1, 2, 3]);

        Assert.Contains("training-00003.tokens has 3 bytes; the index says 14", Assert.Throws<DataException>(() => PreparedFolder.Open(_folder["out"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_AMissingShard_NamesIt()
    {
        File.Delete(_folder["out/training-00003.tokens"]);

        Assert.Contains("training-00003.tokens is missing", Assert.Throws<DataException>(() => PreparedFolder.Open(_folder["out"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_AChangedByte_NamesTheShard()
    {
        var bytes = File.ReadAllBytes(_folder["out/training-00003.tokens"]);
        bytes[5] ^= 1;
        File.WriteAllBytes(_folder["out/training-00003.tokens"], bytes);
        PreparedFolder.Open(_folder["out"]).Dispose();

        var error = await Assert.ThrowsAsync<DataException>(() => PreparedFolder.VerifyAsync(_folder["out"], CancellationToken.None));

        Assert.Contains("training-00003.tokens has the SHA-256", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_ATokenizerOfAnotherKind_IsRefused()
    {
        Vocabularies.Train(300, "low low").Write(_folder["out"]);

        Assert.Contains("another tokenizer (bpe)", Assert.Throws<DataException>(() => PreparedFolder.Open(_folder["out"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_AnotherVersion_IsRefused()
    {
        var index = File.ReadAllText(_folder["out/index.json"]).Replace("\"version\": 1", "\"version\": 2", StringComparison.Ordinal);
        File.WriteAllText(_folder["out/index.json"], index);

        Assert.Contains("is of version 2", Assert.Throws<DataException>(() => PreparedFolder.Open(_folder["out"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void IsOne_AFolderWithAJournalOfItsOwner_IsFalse()
    {
        _folder.Write("other/journal.jsonl", "{\"text\":\"monday\"}\n");

        Assert.False(PreparedFolder.IsOne(_folder["other"]));
    }

    [Fact]
    public void IsOne_AnIndexThatCannotBeRead_IsNamed()
    {
        Directory.CreateDirectory(_folder["other/index.json"]);

        Assert.Contains("other/index.json cannot be read", Assert.Throws<DataException>(() => PreparedFolder.IsOne(_folder["other"])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"format\":\"other\"}")]
    [InlineData("{\"format\":1}")]
    [InlineData("[1]")]
    [InlineData("no json")]
    public void IsOne_AFolderWithAnotherIndex_IsFalse(string index)
    {
        _folder.Write("other/index.json", index);

        Assert.False(PreparedFolder.IsOne(_folder["other"]));
        Assert.False(PreparedFolder.IsOne(_folder["nowhere"]));
        Assert.Contains("holds no prepared data", Assert.Throws<DataException>(() => PreparedFolder.Open(_folder["other"])).Message, StringComparison.Ordinal);
    }
}
