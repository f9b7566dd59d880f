using System.Text;
using Phi.Data.Preparation;
using Phi.Data.Shards;
using Phi.Data.Tokenizers;

namespace Phi.Data.Tests;

/// <summary>Prepared folders: what is in them, and on which side.</summary>
public sealed class DataPreparationTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Run_Documents_AreOnceInOrderWithTheEndOfText()
    {
        _folder.Write("in/a.txt", "abc");
        _folder.Write("in/b.jsonl", "{\"text\":\"de\"}\n{\"text\":\"abc\"}\n{\"text\":\"f\"}\n{\"text\":\"de\"}\n");
        _folder.Write("in/c.txt", "f");

        var index = await PrepareAsync(heldOut: 0);

        Assert.Equal((3, 3, 257, 256, 16), (index.Documents, index.Duplicates, index.VocabularySize, index.EndOfText, index.TokenBits));
        Assert.Equal(['a', 'b', 'c', 256, 'd', 'e', 256, 'f', 256], Tokens(_folder["out"]).Training);
        Assert.Empty(index.HeldOut.Shards);
        Assert.Equal(["index.json", "phi_tokenizer.json", "prepare.lock", "report.json", "training-00000.tokens"], TestFolder.Contents(_folder["out"]).Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Run_HeldOutDocuments_AreTheSameWhateverTheirPlaceAndCompany()
    {
        var texts = Enumerable.Range(0, 400).Select(i => $"document number {i}").ToList();
        WriteLines("in/a.jsonl", texts);
        await PrepareAsync(heldOut: 0.2);
        var held = Documents(Tokens(_folder["out"]).HeldOut);

        _folder.Write("in/a.jsonl", "");
        WriteLines("in/z.jsonl", texts.AsEnumerable().Reverse().Concat(Enumerable.Range(0, 300).Select(i => $"another {i}")));
        await PrepareAsync(heldOut: 0.2, output: "again");
        await PrepareAsync(heldOut: 0.1, output: "fewer");
        var (training, again) = (Documents(Tokens(_folder["again"]).Training), Documents(Tokens(_folder["again"]).HeldOut));

        Assert.InRange(held.Count, 40, 120);
        Assert.Equal(held.Order(), again.Where(texts.Contains).Order());
        Assert.Empty(training.Intersect(again));
        Assert.Equal(700, training.Count + again.Count);
        Assert.Subset(again.ToHashSet(), Documents(Tokens(_folder["fewer"]).HeldOut).ToHashSet());
    }

    [Fact]
    public async Task Run_TooFewDocumentsToHoldOut_HoldsOutChunksOfThem()
    {
        var text = string.Concat(Enumerable.Range(0, 4000).Select(i => $"line {i}\n"));
        _folder.Write("in/a.txt", text);

        var index = await PrepareAsync(heldOut: 0.01, leastHeldOut: 3000);

        var (training, heldOut) = Tokens(_folder["out"]);
        Assert.True(index.HeldOutRule.ChunkBytes > 0);
        Assert.InRange(heldOut.Count, 3000, 5000);
        Assert.All(Documents(heldOut), piece => Assert.Contains(piece, text, StringComparison.Ordinal));
        Assert.All(Documents(training), piece => Assert.Contains(piece, text, StringComparison.Ordinal));
        Assert.Equal(text.Length, training.Concat(heldOut).Count(token => token < 256));
        Assert.Equal((training.Count, heldOut.Count), (index.Training.Tokens, index.HeldOut.Tokens));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(1000, 0)]
    [InlineData(3000, 1)]
    public async Task Run_ATinyCorpus_KeepsSomethingToTrainOn(int length, int leastHeldOut)
    {
        _folder.Write("in/a.txt", string.Concat(Enumerable.Range(0, length).Select(i => (char)('a' + i / 100 % 26))));

        var index = await PrepareAsync(heldOut: 0.5, leastHeldOut: 2049);

        Assert.True(index.Training.Tokens > 1);
        Assert.Equal(leastHeldOut > 0, index.HeldOut.Tokens > 0);
    }

    [Fact]
    public async Task Run_AVocabularyBeyond16Bits_HasTokensOf32()
    {
        _folder.Write("in/a.txt", "ab");

        var index = await PrepareAsync(heldOut: 0, tokenizer: Vocabularies.Flat(TokenizerFiles.BpeKind, ("far", 70_000)));
        await PrepareAsync(heldOut: 0, tokenizer: Vocabularies.Flat(TokenizerFiles.BpeKind, ("near", 65_535)), output: "near");

        Assert.Equal((32, 70_001, 12), (index.TokenBits, index.VocabularySize, index.Training.Shards[0].Bytes));
        Assert.Equal(['a', 'b', 256], Tokens(_folder["out"]).Training);
        Assert.Equal(16, PreparedFolder.TryReadIndex(_folder["near"])!.TokenBits);
    }

    [Fact]
    public async Task Run_TokensBeyond16Bits_ComeBack()
    {
        // The last letter's number is beyond what 16 bits hold.
        using var files = new TestFolder();
        Vocabularies.Flat(TokenizerFiles.BpeKind).Write(files.Root);
        files.Write("vocab.json", File.ReadAllText(files["vocab.json"]).Replace("\"z\":122", "\"z\":100000", StringComparison.Ordinal));
        _folder.Write("in/a.txt", "yz");

        await PrepareAsync(heldOut: 0, tokenizer: TokenizerFiles.FromFolder(TokenizerFiles.BpeKind, files.Root));

        Assert.Equal(['y', 100_000, 256], Tokens(_folder["out"]).Training);
    }

    [Fact]
    public async Task Run_OnlyEmptyFiles_IsAnError()
    {
        _folder.Write("in/a.txt", "");

        Assert.Contains("hold no text", (await Assert.ThrowsAsync<DataException>(() => PrepareAsync())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.6, 1, "0.6")]
    [InlineData(-1, 1, "-1")]
    [InlineData(double.NaN, 1, "NaN")]
    [InlineData(0, 0, "at least 1")]
    public async Task Run_AnOptionOutOfItsRange_IsRefusedBeforeAnythingIsWritten(double heldOut, long shardTokens, string expected)
    {
        _folder.Write("in/a.txt", "abc");

        var error = await Assert.ThrowsAsync<DataException>(() => PrepareAsync(heldOut, shardTokens: shardTokens));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Fact]
    public async Task Run_IntoAFolderWithAJournalOfItsOwner_LeavesIt()
    {
        const string Journal = "{\"text\":\"monday\"}\n";
        _folder.Write("in/a.txt", "abc");
        _folder.Write("out/journal.jsonl", Journal);

        Assert.Contains("holds other files", (await Assert.ThrowsAsync<DataException>(() => PrepareAsync())).Message, StringComparison.Ordinal);
        _folder.Write("out/prepare.lock", "");
        Assert.Contains("is no journal of phi data prepare", (await Assert.ThrowsAsync<DataException>(() => PrepareAsync())).Message, StringComparison.Ordinal);

        Assert.Equal(Journal, File.ReadAllText(_folder["out/journal.jsonl"]));
    }

    [Fact]
    public async Task Run_IntoAFolderOfOtherFiles_LeavesThem()
    {
        _folder.Write("in/a.txt", "abc");
        _folder.Write("out/theirs.txt", "theirs");

        Assert.Contains("holds other files", (await Assert.ThrowsAsync<DataException>(() => PrepareAsync())).Message, StringComparison.Ordinal);
        Assert.Equal(["theirs.txt"], TestFolder.Contents(_folder["out"]).Keys);
    }

    [Fact]
    public async Task Run_ALinkThatLeadsNowhere_IsNamed()
    {
        _folder.Write("in/a.txt", "abc");
        File.CreateSymbolicLink(_folder["in/b.txt"], _folder["gone.txt"]);

        Assert.Contains($"{_folder["in/b.txt"]} is not there", (await Assert.ThrowsAsync<DataException>(() => PrepareAsync())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ALinkToAFile_IsThatFile()
    {
        _folder.Write("file.txt", "abc");
        Directory.CreateDirectory(_folder["in"]);
        File.CreateSymbolicLink(_folder["in/b.txt"], _folder["file.txt"]);

        var index = await PrepareAsync();

        Assert.Equal((4, 3), (index.Training.Tokens, index.Inputs.Files[0].Bytes));
    }

    [Fact]
    public async Task Run_RestartedWithAnotherTokenizer_LeavesNothingOfTheFirst()
    {
        _folder.Write("in/a.txt", "abc");
        await PrepareAsync(tokenizer: Vocabularies.Flat(TokenizerFiles.BpeKind));

        await DataPreparation.RunAsync(new PrepareOptions { Sources = [_folder["in"]], Output = _folder["out"], HeldOutFraction = 0, Restart = true }, null, CancellationToken.None);

        Assert.Equal(["index.json", "phi_tokenizer.json", "prepare.lock", "report.json", "training-00000.tokens"], TestFolder.Contents(_folder["out"]).Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Run_AnOutputWithinTheSource_IsNotItsOwnInput()
    {
        _folder.Write("in/a.txt", "abc");
        var first = await PrepareAsync(heldOut: 0, output: "in/out");

        var again = await PrepareAsync(heldOut: 0, output: "in/out");

        Assert.Equal((1, 1), (first.Documents, again.Documents));
    }

    internal static (List<long> Training, List<long> HeldOut) Tokens(string folder)
    {
        using var prepared = PreparedFolder.Open(folder);
        return (All(prepared.Training), All(prepared.HeldOut));

        static List<long> All(ITokenSource source)
        {
            var window = new long[source.Length];
            source.CopyTo(0, window);
            return [.. window];
        }
    }

    private static List<string> Documents(IEnumerable<long> tokens)
    {
        var documents = new List<string>();
        var bytes = new List<byte>();
        foreach (var token in tokens)
        {
            if (token < 256)
            {
                bytes.Add((byte)token);
                continue;
            }

            documents.Add(Encoding.UTF8.GetString([.. bytes]));
            bytes.Clear();
        }

        return documents;
    }

    private void WriteLines(string path, IEnumerable<string> texts) => _folder.Write(path, string.Concat(texts.Select(text => $"{{\"text\":\"{text}\"}}\n")));

    private Task<PreparedIndex> PrepareAsync(double heldOut = 0, long leastHeldOut = 0, long shardTokens = 1000, TokenizerFiles? tokenizer = null, string output = "out") =>
        DataPreparation.RunAsync(
            new PrepareOptions
            {
                Sources = [_folder["in"]],
                Output = _folder[output],
                HeldOutFraction = heldOut,
                LeastHeldOut = leastHeldOut,
                ShardTokens = shardTokens,
                Tokenizer = tokenizer ?? TokenizerFiles.Bytes,
            },
            progress: null,
            CancellationToken.None);
}
