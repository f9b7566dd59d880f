using Phi.Api.TrainingJobs;
using Phi.Collectives;
using Phi.Data;
using Phi.Data.Preparation;
using Phi.Data.Shards;
using Phi.Data.Tokenizers;
using Phi.Trainer.Ranks;
using Xunit;

namespace Phi.Trainer.Tests;

/// <summary>Which data a rank trains on, as its job says.</summary>
public sealed class RankDataTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("phi rank data ").FullName;
    private readonly List<string> _log = [];

    public RankDataTests()
    {
        Directory.CreateDirectory(Place("in"));
        File.WriteAllText(Place("in/a.txt"), string.Concat(Enumerable.Range(0, 2000).Select(i => $"line {i}\n")));
        var trainer = new BpeTrainer();
        trainer.Add(File.ReadAllBytes(Place("in/a.txt")));
        trainer.Write(300, Place("bpe"), _ => { }, CancellationToken.None);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Open_TextAlone_IsPreparedAsBytesIntoTheCache()
    {
        using var data = await OpenAsync(Phi());

        Assert.Equal((TokenizerFiles.BytesKind, 257), (data.Tokenizer.Kind, data.VocabularySize));
        Assert.Equal(new FileInfo(Place("in/a.txt")).Length + 1, data.Training.Length);
        Assert.Null(data.HeldOut);
        Assert.Single(Directory.GetDirectories(Place("cache")));
    }

    [Fact]
    public async Task Open_OneFile_IsReadAsText()
    {
        using var data = await OpenAsync(Phi(Place("in/a.txt")));

        Assert.Equal(new FileInfo(Place("in/a.txt")).Length + 1, data.Training.Length);
    }

    [Fact]
    public async Task Open_ASmallCorpusWithAHeldOutShare_HoldsOutAtLeastAWindow()
    {
        using var data = await OpenAsync(Phi(heldOut: 0.001));

        Assert.InRange(data.HeldOut!.Length, 65, 65 + 1100);
        Assert.Empty(_log);
    }

    [Fact]
    public async Task Open_ABpeTokenizerWithoutAVocabularySize_HasTheTokenizers()
    {
        using var data = await OpenAsync(Phi(tokenizer: Bpe()));

        Assert.Equal((TokenizerFiles.BpeKind, 300), (data.Tokenizer.Kind, data.VocabularySize));
    }

    [Fact]
    public async Task Open_AModelOfFewerTokensThanTheTokenizer_IsRefused()
    {
        var error = await Assert.ThrowsAsync<DataException>(() => OpenAsync(Phi(tokenizer: Bpe(), vocabulary: 257)));

        Assert.Equal("spec.phi.model.vocabularySize is 257, and the tokenizer (bpe) has 300 tokens. Write at least 300.", error.Message);
    }

    [Fact]
    public async Task Open_AModelOfMoreTokens_KeepsThem()
    {
        using var data = await OpenAsync(Phi(vocabulary: 512));

        Assert.Equal(512, data.VocabularySize);
    }

    [Fact]
    public async Task Open_APreparedFolder_IsUsedAsItIsWithItsTokenizer()
    {
        await PrepareAsync();
        File.Delete(Place("in/a.txt"));

        using var data = await OpenAsync(Phi(Place("prepared")));
        using var named = await OpenAsync(Phi(Place("prepared"), tokenizer: Bpe()));

        Assert.Equal((TokenizerFiles.BpeKind, 300), (data.Tokenizer.Kind, data.VocabularySize));
        Assert.True(data.HeldOut!.Length >= 200);
        Assert.False(Directory.Exists(Place("cache")));
    }

    [Fact]
    public async Task Open_APreparedFolderWithAnotherTokenizer_IsRefused()
    {
        await PrepareAsync();

        var error = await Assert.ThrowsAsync<DataException>(() => OpenAsync(Phi(Place("prepared"), tokenizer: new TokenizerSpec { Bytes = new BytesTokenizerSpec() })));

        Assert.Contains("data.tokenizer is bytes", error.Message, StringComparison.Ordinal);
        Assert.Contains("was prepared with bpe. Leave data.tokenizer out", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_APreparedFolderAmongOthers_IsRefused()
    {
        await PrepareAsync();
        var phi = Phi(Place("prepared"));
        phi.Data!.Sources!.Add(Place("in"));

        Assert.Contains("is used alone", (await Assert.ThrowsAsync<DataException>(() => OpenAsync(phi))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_HeldOutDataShorterThanAWindow_AreNotMeasuredAndSaySo()
    {
        await PrepareAsync();

        using var data = await OpenAsync(Phi(Place("prepared"), sequence: 4096));

        Assert.Null(data.HeldOut);
        Assert.Contains("one window is 4097", Assert.Single(_log), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_ATokenizerThatIsNotThere_NamesTheFile()
    {
        var tokenizer = new TokenizerSpec { Codegen = new VocabularyFilesSpec { Vocabulary = "/nowhere/vocab.json", Merges = "/nowhere/merges.txt" } };

        Assert.Contains("/nowhere/vocab.json", (await Assert.ThrowsAsync<DataException>(() => OpenAsync(Phi(tokenizer: tokenizer)))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_WithAFilter_LeavesDocumentsOutOfAnotherFolderOfTheCache()
    {
        File.WriteAllText(Place("in/b.txt"), new string('x', 5000));
        using var all = await OpenAsync(Phi());
        var phi = Phi();
        phi.Data!.Filter = new DataFilterSpec { MaxLineLength = 1000, NearDuplicates = 0.9 };

        using var some = await OpenAsync(phi);

        Assert.Equal((all.Training.Length - 5001, 2), (some.Training.Length, Directory.GetDirectories(Place("cache")).Length));
        Assert.NotEqual(all.Digest, some.Digest);
    }

    [Fact]
    public async Task Open_APreparedFolderWithAFilter_IsRefused()
    {
        await PrepareAsync();
        var phi = Phi(Place("prepared"));
        phi.Data!.Filter = new DataFilterSpec { MinBytes = 1 };

        Assert.Contains("Leave data.filter out", (await Assert.ThrowsAsync<DataException>(() => OpenAsync(phi))).Message, StringComparison.Ordinal);
        phi.Data.Filter = new DataFilterSpec();
        (await OpenAsync(phi)).Dispose();
    }

    [Fact]
    public async Task Open_AFilterModelThatIsNotThere_NamesTheFile()
    {
        var phi = Phi();
        phi.Data!.Filter = new DataFilterSpec { Classifier = new DataClassifierSpec { Model = "/nowhere/filter.json" } };

        Assert.Contains("/nowhere/filter.json", (await Assert.ThrowsAsync<DataException>(() => OpenAsync(phi))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compare_OtherData_FailsOnEveryRank()
    {
        using var mine = await OpenAsync(Phi());
        File.AppendAllText(Place("in/a.txt"), "more\n");
        using var others = await OpenAsync(Phi());
        var groups = InProcessGroup.Create(2);

        var errors = await Task.WhenAll(
            Task.Run(() => Record.Exception(() => mine.Compare(groups[0]))),
            Task.Run(() => Record.Exception(() => others.Compare(groups[1]))));

        Assert.All(errors, error => Assert.Contains("ranks 0 and 1", Assert.IsType<DataException>(error).Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Compare_TheSameData_Passes()
    {
        using var data = await OpenAsync(Phi());
        var groups = InProcessGroup.Create(2);

        Assert.All(await Task.WhenAll(groups.Select(group => Task.Run(() => Record.Exception(() => data.Compare(group))))), Assert.Null);
    }

    private Task<RankData> OpenAsync(PhiSpec phi) => RankData.OpenAsync(phi, Place("cache"), _log.Add, CancellationToken.None);

    private Task<PreparedIndex> PrepareAsync() => DataPreparation.RunAsync(
        new PrepareOptions { Sources = [Place("in")], Output = Place("prepared"), Tokenizer = TokenizerFiles.FromFolder(TokenizerFiles.BpeKind, Place("bpe")), HeldOutFraction = 0.01, LeastHeldOut = 200 },
        progress: null,
        CancellationToken.None);

    private TokenizerSpec Bpe() => new() { Bpe = new VocabularyFilesSpec { Vocabulary = Place("bpe/vocab.json"), Merges = Place("bpe/merges.txt") } };

    private PhiSpec Phi(string? source = null, TokenizerSpec? tokenizer = null, double heldOut = 0, int? vocabulary = null, int sequence = 64) => new()
    {
        Model = new ModelSpec { VocabularySize = vocabulary, SequenceLength = sequence },
        Data = new DataSpec { Sources = [source ?? Place("in")], Tokenizer = tokenizer, HeldOutFraction = heldOut },
    };

    private string Place(string path) => Path.Combine(_folder, path);
}
