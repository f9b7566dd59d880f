using Phi.Data.Preparation;
using Phi.Data.Quality;
using Phi.Data.Shards;

namespace Phi.Data.Tests;

/// <summary>Preparing with rules: what is left out, what the report says, and what the folder is known by.</summary>
public sealed class FilterTests : IDisposable
{
    private readonly TestFolder _folder = new("/dev/shm");

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, FilterOptions> Rules => new()
    {
        { "min-bytes", new FilterOptions { MinBytes = 10 } },
        { "max-bytes", new FilterOptions { MaxBytes = 2000 } },
        { "max-line-length", new FilterOptions { MaxLineLength = 200 } },
        { "max-mean-line-length", new FilterOptions { MaxMeanLineLength = 100 } },
        { "min-alphanumeric", new FilterOptions { MinAlphanumeric = 0.3 } },
        { "min-comments", new FilterOptions { MinComments = 0.05 } },
        { "max-comments", new FilterOptions { MaxComments = 0.8 } },
        { "only-text", new FilterOptions { OnlyText = true } },
        { "python-parses", new FilterOptions { PythonParses = true } },
    };

    [Theory]
    [MemberData(nameof(Rules))]
    public async Task Run_WithARule_LeavesOutWhatItNamesAndSaysSo(string rule, FilterOptions filter)
    {
        const string Good = "# Adds.\ndef add(a, b):\n    \"\"\"Sum of two.\"\"\"\n    return a + b\n";
        _folder.Write("in/good.py", Good);
        _folder.Write("in/bad.py", rule switch
        {
            "min-bytes" => "x = 1\n"u8.ToArray(),
            "max-bytes" => Text(string.Concat(Enumerable.Repeat(Good, 40))),
            "max-line-length" => Text(Good + $"x = '{new string('a', 400)}'\n"),
            "max-mean-line-length" => Text($"x = '{new string('a', 400)}'\ny = 1\n"),
            "min-alphanumeric" => "# +++\n((((((((()))))))))\n+-+-+-+-+-\n"u8.ToArray(),
            "min-comments" => "def add(a, b):\n    return a + b\n"u8.ToArray(),
            "max-comments" => "# one\n# two\n# three and four\nx\n"u8.ToArray(),
            "only-text" => [.. Text(Good), 0xff, 0xfe],
            _ => "def add(a, b:\n    return\n"u8.ToArray(),
        });

        var index = await DataPreparation.RunAsync(Options(filter), null, CancellationToken.None);

        var removed = Assert.Single(PrepareReport.Open(_folder["out"]).LeftOut, one => one.Rule == rule);
        Assert.Equal((1, 1, 0.5), (index.Documents, removed.Documents, removed.Share));
        Assert.Equal([_folder["in/bad.py"]], removed.Examples);
        Assert.Equal(Good, System.Text.Encoding.UTF8.GetString([.. DataPreparationTests.Tokens(_folder["out"]).Training.Where(token => token < 256).Select(token => (byte)token)]));
    }

    [Fact]
    public async Task Run_RulesOfPython_PassOverOtherLanguages()
    {
        _folder.Write("in/a.txt", "not ( python");
        _folder.Write("in/b.jsonl", "{\"text\":\"neither (\",\"lang\":\"Java\"}\n{\"text\":\"unknown (\"}\n{\"text\":\"also (\",\"path\":\"x/y.md\"}\n{\"text\":\"no (\",\"path\":\"x/y.py\"}\n");

        await DataPreparation.RunAsync(Options(new FilterOptions { PythonParses = true, MinComments = 0.5 }), null, CancellationToken.None);

        var removed = Assert.Single(PrepareReport.Open(_folder["out"]).LeftOut, one => one.Documents > 0);
        Assert.Equal(("min-comments", 2), (removed.Rule, removed.Documents));
        Assert.Equal([$"{_folder["in/b.jsonl"]}:2", $"{_folder["in/b.jsonl"]}:4 (x/y.py)"], removed.Examples);
    }

    [Fact]
    public async Task Run_NearDuplicates_KeepsTheFirstOfEachThatTheRulesKeep()
    {
        var text = string.Join(' ', Enumerable.Range(0, 200).Select(i => $"word{i}"));
        _folder.Write("in/a.py", new string('x', 5000) + "\n" + text);
        _folder.Write("in/b.py", text);
        _folder.Write("in/c.py", text.Replace("word100 ", "word100\n\n", StringComparison.Ordinal));
        _folder.Write("in/d.py", text);
        _folder.Write("in/e.py", string.Join(' ', Enumerable.Range(0, 200).Select(i => $"another{i}")));

        var index = await DataPreparation.RunAsync(Options(new FilterOptions { NearDuplicates = 0.85, MaxLineLength = 4000 }), null, CancellationToken.None);

        var report = PrepareReport.Open(_folder["out"]);
        Assert.Equal([("duplicates", 1), ("max-line-length", 1), ("near-duplicates", 1)], report.LeftOut.Select(one => (one.Rule, one.Documents)));
        Assert.Equal([_folder["in/c.py"]], report.LeftOut[^1].Examples);
        Assert.Equal((2, 1, 2), (index.Documents, index.Duplicates, index.Filtered));
    }

    [Fact]
    public async Task Run_Records_AreCountedByLanguageAndLicence()
    {
        _folder.Write("in/a.jsonl", "{\"text\":\"one\",\"lang\":\"Python\",\"license\":\"mit\"}\n{\"text\":\"two\",\"max_stars_repo_path\":\"a/b.rs\",\"max_stars_repo_licenses\":[\"MIT\",\"Apache-2.0\"]}\n{\"text\":\"three\",\"lang\":7,\"licenses\":[]}\n");
        _folder.Write("in/b.py", "four");

        var index = await DataPreparation.RunAsync(Options(new FilterOptions()), null, CancellationToken.None);

        var report = PrepareReport.Open(_folder["out"]);
        Assert.Equal((2, 4, 4, 15L), (report.Files, report.Read.Documents, report.Kept.Documents, report.Kept.Bytes));
        Assert.Equal([(".py", 1, 4, 5), (".rs", 1, 3, 4), ("Python", 1, 3, 4), ("unknown", 1, 5, 6)], report.Languages.Select(one => (one.Name, one.Documents, one.Bytes, one.Tokens!.Value)));
        Assert.Equal([("(none named)", 2L), ("Apache-2.0", 1), ("MIT", 1), ("mit", 1)], report.Licenses.Select(one => (one.Name, one.Documents)));
        Assert.Equal(index.Training.Tokens, report.Languages.Sum(one => one.Tokens));
        Assert.Null(index.Inputs.Filter);
    }

    [Fact]
    public async Task Run_MoreNamesThanAReportHolds_CountsTheRestTogether()
    {
        _folder.Write("in/a.jsonl", string.Concat(Enumerable.Range(0, 1000).Select(i => $"{{\"text\":\"{i}\",\"lang\":\"L{i}\",\"license\":\"{new string('x', 3000)}{i}\"}}\n")));

        await DataPreparation.RunAsync(Options(new FilterOptions()), null, CancellationToken.None);

        var report = PrepareReport.Open(_folder["out"]);
        Assert.Equal((201, "(others)", 800), (report.Languages.Count, report.Languages[0].Name, report.Languages[0].Documents));
        Assert.All(report.Licenses, one => Assert.InRange(one.Name.Length, 1, 200));
    }

    [Fact]
    public async Task Run_WhenNothingIsLeft_NamesTheRules()
    {
        _folder.Write("in/a.py", "abc");

        var error = await Assert.ThrowsAsync<DataException>(() => DataPreparation.RunAsync(Options(new FilterOptions { MinBytes = 10 }), null, CancellationToken.None));

        Assert.Contains("leaves out all 1 documents: 1 by min-bytes (10)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_WithOtherRules_NamesWhatChanged()
    {
        _folder.Write("in/a.py", "x = 1\n");
        await DataPreparation.RunAsync(Options(new FilterOptions { MinBytes = 2 }), null, CancellationToken.None);

        await AssertRefusedAsync(new FilterOptions(), "min-bytes was 2 and is off");
        await AssertRefusedAsync(new FilterOptions { MinBytes = 3 }, "min-bytes was 2 and is 3");
        await AssertRefusedAsync(new FilterOptions { MinBytes = 2, NearDuplicates = 0.9 }, "near-duplicates was off and is 0.9");
        await AssertRefusedAsync(new FilterOptions { MinBytes = 2, OnlyText = true }, "only-text was off and is on");
        await DataPreparation.RunAsync(Options(new FilterOptions { MinBytes = 2 }), null, CancellationToken.None);

        async Task AssertRefusedAsync(FilterOptions filter, string difference) =>
            Assert.Contains($"{difference}. Name another folder", (await Assert.ThrowsAsync<DataException>(() => DataPreparation.RunAsync(Options(filter), null, CancellationToken.None))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_TheCacheWithOtherRules_IsAnotherFolder()
    {
        _folder.Write("in/a.py", "x = 1\n");
        _folder.Write("in/b.py", "y\n");

        using var all = await DataCache.OpenAsync(Options(new FilterOptions()), null, CancellationToken.None);
        using var some = await DataCache.OpenAsync(Options(new FilterOptions { MinBytes = 4 }), null, CancellationToken.None);

        Assert.Equal((2, 1), (all.Index.Documents, some.Index.Documents));
    }

    public static TheoryData<FilterOptions, string> Wrong => new()
    {
        { new FilterOptions { MinBytes = 0 }, "(min-bytes) is 0; it must be at least 1" },
        { new FilterOptions { MaxBytes = -1 }, "(max-bytes) is -1" },
        { new FilterOptions { MinBytes = 5, MaxBytes = 4 }, "min-bytes is 5 and max-bytes is 4" },
        { new FilterOptions { MaxLineLength = 0 }, "(max-line-length) is 0" },
        { new FilterOptions { MaxMeanLineLength = double.NaN }, "(max-mean-line-length) is NaN" },
        { new FilterOptions { MinAlphanumeric = 1.1 }, "(min-alphanumeric) is 1.1; it must be from 0 to 1" },
        { new FilterOptions { MinComments = 0.5, MaxComments = 0.1 }, "min-comments is 0.5 and max-comments is 0.1" },
        { new FilterOptions { NearDuplicates = 0.4 }, "(near-duplicates) is 0.4; it must be from 0.5 to 1" },
        { new FilterOptions { Threshold = 0.5 }, "there is no model" },
        { new FilterOptions { Model = "/nowhere.json" }, "the filter's model /nowhere.json cannot be read" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task Run_AValueOutOfItsRange_IsRefusedBeforeAnythingIsWritten(FilterOptions filter, string expected)
    {
        _folder.Write("in/a.py", "abc");

        var error = await Assert.ThrowsAsync<DataException>(() => DataPreparation.RunAsync(Options(filter), null, CancellationToken.None));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Fact]
    public async Task Verify_AChangedReport_IsNamed()
    {
        _folder.Write("in/a.py", "abc");
        await DataPreparation.RunAsync(Options(new FilterOptions()), null, CancellationToken.None);
        File.AppendAllText(_folder["out/report.json"], " ");

        Assert.Contains("report.json has the SHA-256", (await Assert.ThrowsAsync<DataException>(() => PreparedFolder.VerifyAsync(_folder["out"], CancellationToken.None))).Message, StringComparison.Ordinal);
        File.Delete(_folder["out/report.json"]);
        Assert.Contains("report.json", Assert.Throws<DataException>(() => PrepareReport.Open(_folder["out"])).Message, StringComparison.Ordinal);
    }

    private static byte[] Text(string text) => System.Text.Encoding.UTF8.GetBytes(text);

    private PrepareOptions Options(FilterOptions filter) => new() { Sources = [_folder["in"]], Output = _folder["out"], HeldOutFraction = 0, LeastHeldOut = 0, Filter = filter };
}
