using Phi.Data.Preparation;
using Phi.Data.Quality;
using Phi.Data.Shards;
using Phi.Data.Tokenizers;

namespace Phi.Data.Tests;

/// <summary>A preparation that was interrupted, wherever that was, ends as one that was not.</summary>
public sealed class ResumeTests : IDisposable
{
    /// <summary>With rules, and near duplicates left out.</summary>
    private const string Filtered = "filtered";

    /// <summary>In memory: hundreds of preparations flush every file to the disk.</summary>
    private readonly TestFolder _folder = new("/dev/shm");

    public ResumeTests()
    {
        var lines = Enumerable.Range(0, 60).Select(i => $"{{\"text\":\"def f{i % 50}(x):\\n    return x * {new string((char)('0' + i % 10), 1 + i % 50)}\"}}\n");
        _folder.Write("in/a.jsonl", string.Concat(lines));
        _folder.Write("in/b.txt", string.Concat(Enumerable.Range(0, 300).Select(i => $"x{i} = {i}\n")));
    }

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, int> Cases => new() { { "documents", 0 }, { "chunks", 900 }, { Filtered, 0 } };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Run_FromWhatAKillLeft_EndsWithTheSameBytes(string name, int leastHeldOut)
    {
        // What the disk holds at each report is what a kill at that moment leaves.
        var options = Options(leastHeldOut, name);
        var kills = 0;
        await DataPreparation.RunAsync(options, new Each(_ => Copy(options.Output, _folder[$"kill-{kills++}"])), CancellationToken.None);
        var expected = TestFolder.Contents(options.Output);
        Assert.True(expected.Keys.Count(file => file.EndsWith(".tokens", StringComparison.Ordinal)) > 10 && kills > 40, $"{name}: {kills} places, {expected.Count} files");

        foreach (var kill in Enumerable.Range(0, kills).Select(i => _folder[$"kill-{i}"]))
        {
            await DataPreparation.RunAsync(options with { Output = kill }, progress: null, CancellationToken.None);

            Assert.Equal(expected, TestFolder.Contents(kill));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Run_FromAJournalCutOffAnywhere_EndsWithTheSameBytes(string name, int leastHeldOut)
    {
        var options = Options(leastHeldOut, name);
        await DataPreparation.RunAsync(options, new Each(_ => Copy(options.Output, _folder["last"])), CancellationToken.None);
        var expected = TestFolder.Contents(options.Output);
        var journal = File.ReadAllBytes(_folder["last/journal.jsonl"]);

        // The second pass wrote over the shards of the first: only its own lines can have been cut off.
        var rule = journal.AsSpan().LastIndexOf("\"rule\":{"u8);
        var start = leastHeldOut == 0 ? 0 : rule + journal.AsSpan(rule).IndexOf((byte)'\n') + 1;
        for (var length = start; length < journal.Length; length += 53)
        {
            var cut = _folder[$"{name}-{length}"];
            Copy(_folder["last"], cut);
            File.WriteAllBytes(Path.Combine(cut, "journal.jsonl"), journal[..length]);
            await DataPreparation.RunAsync(options with { Output = cut }, progress: null, CancellationToken.None);

            Assert.Equal(expected, TestFolder.Contents(cut));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Run_CancelledAgainAndAgain_EndsWithTheSameBytes(string name, int leastHeldOut)
    {
        await DataPreparation.RunAsync(Options(leastHeldOut, name), progress: null, CancellationToken.None);
        var options = Options(leastHeldOut, name) with { Output = _folder[name] };
        var isDone = false;
        var runs = 0;
        while (!isDone)
        {
            using var cancel = new CancellationTokenSource();
            var (reports, patience) = (0, 5 + runs++);
            try
            {
                await DataPreparation.RunAsync(options, new Each(_ => CancelAfter(patience)), cancel.Token);
                isDone = true;
            }
            catch (OperationCanceledException)
            {
                Assert.False(File.Exists(Path.Combine(options.Output, PreparedIndex.FileName)));
            }

            void CancelAfter(int most)
            {
                if (++reports == most)
                {
                    cancel.Cancel();
                }
            }
        }

        Assert.True(runs > 5);
        Assert.Equal(TestFolder.Contents(_folder["out"]), TestFolder.Contents(options.Output));
    }

    [Fact]
    public async Task Run_AFinishedFolderAgain_LeavesItAlone()
    {
        await DataPreparation.RunAsync(Options(0), progress: null, CancellationToken.None);
        var before = TestFolder.Contents(_folder["out"]);

        await DataPreparation.RunAsync(Options(0), new Each(_ => Assert.Fail("nothing is to be done")), CancellationToken.None);

        Assert.Equal(before, TestFolder.Contents(_folder["out"]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Run_WithOtherInputs_NamesWhatChangedAndTheRemedy(bool isFinished)
    {
        var options = Options(0);
        var reports = 0;
        await DataPreparation.RunAsync(options, new Each(_ => Copy(options.Output, _folder[$"begun-{reports++}"])), CancellationToken.None);
        options = options with { Output = isFinished ? options.Output : _folder[$"begun-{reports / 2}"] };
        var before = TestFolder.Contents(options.Output);

        await AssertRefusedAsync(options with { HeldOutFraction = 0.25 }, "the held-out fraction was 0.2 and is 0.25");
        await AssertRefusedAsync(options with { ShardTokens = 101 }, "the tokens of a shard was 100 and is 101");
        await AssertRefusedAsync(options with { TextField = "content" }, "the text field was text and is content");
        await AssertRefusedAsync(options with { Tokenizer = Vocabularies.Flat(TokenizerFiles.BpeKind) }, "the tokenizer was bytes and is bpe");
        _folder.Write("in/new.txt", "new");
        await AssertRefusedAsync(options, $"{_folder["in/new.txt"]} is new among the sources");
        File.Delete(_folder["in/new.txt"]);
        File.Move(_folder["in/b.txt"], _folder["b.txt"]);
        await AssertRefusedAsync(options, $"{_folder["in/b.txt"]} is no longer among the sources");
        File.Move(_folder["b.txt"], _folder["in/b.txt"]);
        File.AppendAllText(_folder["in/b.txt"], "more");
        await AssertRefusedAsync(options, $"{_folder["in/b.txt"]} changed");
        Assert.Equal(before, TestFolder.Contents(options.Output));

        await DataPreparation.RunAsync(options with { Restart = true }, progress: null, CancellationToken.None);
        await DataPreparation.RunAsync(options with { Output = _folder["fresh"] }, progress: null, CancellationToken.None);
        Assert.Equal(TestFolder.Contents(_folder["fresh"]), TestFolder.Contents(options.Output));
    }

    [Fact]
    public async Task Run_WhenAFinishedShardIsGone_SaysSo()
    {
        var options = Options(0);
        var reports = 0;
        await DataPreparation.RunAsync(options, new Each(_ => Copy(options.Output, _folder[$"begun-{reports++}"])), CancellationToken.None);
        var last = _folder[$"begun-{reports - 1}"];
        File.Delete(Path.Combine(last, "training-00001.tokens"));

        var error = await Assert.ThrowsAsync<DataException>(() => DataPreparation.RunAsync(options with { Output = last }, progress: null, CancellationToken.None));

        Assert.Contains("training-00001.tokens is missing", error.Message, StringComparison.Ordinal);
        Assert.Contains("--restart", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_AFolderThatIsNotFinished_SaysHowToFinishIt()
    {
        var options = Options(0);
        await DataPreparation.RunAsync(options, new Each(_ => Copy(options.Output, _folder["begun"])), CancellationToken.None);

        Assert.True(PreparedFolder.IsOne(_folder["begun"]));
        Assert.Contains("is not finished", Assert.Throws<DataException>(() => PreparedFolder.Open(_folder["begun"])).Message, StringComparison.Ordinal);
    }

    private static async Task AssertRefusedAsync(PrepareOptions options, string difference)
    {
        var error = await Assert.ThrowsAsync<DataException>(() => DataPreparation.RunAsync(options, progress: null, CancellationToken.None));

        Assert.Contains($"{difference}. Name another folder, or begin anew with --restart.", error.Message, StringComparison.Ordinal);
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        File.Create(Path.Combine(to, FolderLock.FileName)).Dispose();
        foreach (var path in Directory.EnumerateFiles(from).Where(path => Path.GetFileName(path) != FolderLock.FileName))
        {
            // Read beside the writer, which is this process.
            using var source = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var target = File.Create(Path.Combine(to, Path.GetFileName(path)));
            source.CopyTo(target);
        }
    }

    private PrepareOptions Options(int leastHeldOut, string name = "") => new()
    {
        Sources = [_folder["in"]], Output = _folder["out"], HeldOutFraction = 0.2, LeastHeldOut = leastHeldOut, ShardTokens = 100, BatchBytes = 40,
        Filter = name == Filtered ? new FilterOptions { NearDuplicates = 0.9, MaxLineLength = 60, OnlyText = true } : new FilterOptions(),
    };
}
