using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Phi.Cli.Tests;

/// <summary><c>phi data</c> as a process: what it prints, how it ends, and what a signal leaves.</summary>
public sealed class DataCommandsTests : IDisposable
{
    private static readonly string Phi = Path.Combine(AppContext.BaseDirectory, "phi");
    private readonly string _folder = Directory.CreateTempSubdirectory("phi data commands ").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Data_FromTextToVerifiedShards_WorksWithRelativePaths()
    {
        Write("in/a.txt", string.Concat(Enumerable.Range(0, 500).Select(i => $"def f{i}(x): return x\n")));
        Write("in/b.jsonl", "{\"text\":\"one\"}\n{\"text\":\"one\"}\n");

        var trained = await RunAsync("data", "train-tokenizer", "--sources", "in/*.txt", "in/*.jsonl", "--vocabulary-size", "300", "--output", "tokenizer");
        var prepared = await RunAsync("data", "prepare", "--sources", "in", "--tokenizer", "bpe:tokenizer", "--held-out", "0.1", "--held-out-tokens", "100", "--output", "out");
        var verified = await RunAsync("data", "verify", "out");

        Assert.True((trained.ExitCode, prepared.ExitCode, verified.ExitCode) == (0, 0, 0), $"{trained}\n{prepared}\n{verified}");
        Assert.Contains("300 tokens from 3 documents", trained.Output, StringComparison.Ordinal);
        Assert.Contains("documents:  2, and 1 duplicates left out", prepared.Output, StringComparison.Ordinal);
        Assert.Contains("tokens in 1 shard\n", prepared.Output, StringComparison.Ordinal);
        Assert.Contains("tokenizer:  bpe, 300 tokens", prepared.Output, StringComparison.Ordinal);
        Assert.Equal(prepared.Output, verified.Output);
    }

    [Fact]
    public async Task Data_FromLabelsToAFilteredFolder_WorksAndReports()
    {
        string Document(int i) => i % 2 == 0 ? $"def add_{i}(first, second):\n    \"\"\"Adds number {i} to another.\"\"\"\n    return first + second\n" : $"x{i} = [{string.Join(", ", Enumerable.Range(i, 30))}]\n";
        for (var i = 0; i < 60; i++)
        {
            Write($"in/{i}.py", Document(i));
        }

        var sheet = await RunAsync("data", "label", "--sources", "in", "--sample", "40", "--output", "labels.jsonl");
        var lines = await File.ReadAllLinesAsync(Path.Combine(_folder, "labels.jsonl"), TestContext.Current.CancellationToken);
        Write("theirs.jsonl", string.Concat(lines.Select(line => line.Replace("\"label\":null", line.Contains("Adds number", StringComparison.Ordinal) ? "\"label\":\"good\"" : "\"label\":0", StringComparison.Ordinal) + "\n")));
        var imported = await RunAsync("data", "label", "--labels", "theirs.jsonl", "--output", "labels.jsonl");
        var trained = await RunAsync("data", "train-filter", "--labels", "labels.jsonl", "--output", "filter.json");
        var tried = await RunAsync("data", "filter", "--sources", "in", "--model", "filter.json", "--scores", "scores.jsonl", "--output", "json");
        var prepared = await RunAsync("data", "prepare", "--sources", "in", "--filter", "filter.json", "--near-duplicates", "0.9", "--held-out", "0", "--output", "out");
        var report = await RunAsync("data", "report", "out", "--output", "json");
        var table = await RunAsync("data", "report", "out");
        var other = await RunAsync("data", "prepare", "--sources", "in", "--filter", "filter.json", "--filter-threshold", "0.9", "--held-out", "0", "--output", "out");

        Assert.All([sheet, imported, trained, tried, prepared, report, table], one => Assert.True(one.ExitCode == 0, one.ToString()));
        Assert.Contains("0 good, 0 bad, 0 skipped, 40 not labelled", sheet.Output, StringComparison.Ordinal);
        Assert.Contains("0 not labelled", imported.Output, StringComparison.Ordinal);
        Assert.Contains("5-fold cross-validation", trained.Output, StringComparison.Ordinal);
        Assert.Equal(0.5, (double)JsonNode.Parse(tried.Output)!["share"]!);
        Assert.Equal(60, File.ReadLines(Path.Combine(_folder, "scores.jsonl")).Count());
        Assert.Contains("left out:   30 documents (50.0%) by filter (score at least 0.5)", prepared.Output, StringComparison.Ordinal);
        var quality = JsonNode.Parse(report.Output)!["quality"]!;
        Assert.Equal((60, 30), ((int)quality["read"]!["documents"]!, (int)quality["kept"]!["documents"]!));
        Assert.Equal(["duplicates", "filter", "near-duplicates"], quality["leftOut"]!.AsArray().Select(one => (string)one!["rule"]!));
        Assert.Contains("LANGUAGE  DOCUMENTS", table.Output, StringComparison.Ordinal);
        Assert.Equal(7, other.ExitCode);
        Assert.Contains("the filter's threshold was 0.5 and is 0.9", other.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Label_WithKeys_NotesThemAndContinues()
    {
        Write("in/a.jsonl", string.Concat(Enumerable.Range(0, 5).Select(i => $"{{\"text\":\"number {i}\\u001b[2J\"}}\n")));

        var first = await RunAsync("g b x s u b q", "data", "label", "--sources", "in", "--output", "labels.jsonl");
        var second = await RunAsync("gG", "data", "label", "--sources", "in", "--output", "labels.jsonl");
        var third = await RunAsync("", "data", "label", "--output", "labels.jsonl");

        Assert.True((first.ExitCode, second.ExitCode) == (0, 0), $"{first}\n{second}");
        Assert.Contains("1 good, 2 bad, 0 skipped, 2 not labelled", first.Output, StringComparison.Ordinal);
        Assert.Contains("g good, b bad, s skip, u undo, m more, q quit\n", first.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b", first.Output, StringComparison.Ordinal);
        Assert.Contains("3 good, 2 bad, 0 skipped, 0 not labelled", second.Output, StringComparison.Ordinal);
        Assert.Equal(7, third.ExitCode);
        Assert.Contains("there is nothing to label", third.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prepare_ThatAsksForPythonWhereThereIsNone_SaysSo()
    {
        Write("in/a.py", "a");

        using var run = Start(["data", "prepare", "--sources", "in", "--python-parses", "--output", "out"], path: _folder);
        var error = await run.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await run.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(7, run.ExitCode);
        Assert.Contains("python-parses needs python3 on the PATH", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder, "out")));
    }

    [Theory]
    [InlineData(7, "'{0}/nowhere' matches no file", "data", "prepare", "--sources", "nowhere", "--output", "out")]
    [InlineData(7, "tokenizer 'words' is none of", "data", "prepare", "--sources", "in", "--tokenizer", "words", "--output", "out")]
    [InlineData(7, "b.jsonl line 1 is no JSON object", "data", "prepare", "--sources", "in", "--output", "out")]
    [InlineData(7, "holds no prepared data", "data", "verify", "in")]
    [InlineData(7, "ask for at least 257", "data", "train-tokenizer", "--sources", "in/a.txt", "--vocabulary-size", "10", "--output", "out")]
    [InlineData(2, "--output", "data", "prepare", "--sources", "in")]
    [InlineData(7, "(min-bytes) is 0; it must be at least 1", "data", "prepare", "--sources", "in", "--min-bytes", "0", "--output", "out")]
    [InlineData(7, "there is no model", "data", "prepare", "--sources", "in", "--filter-threshold", "0.5", "--output", "out")]
    [InlineData(7, "{0}/in/a.txt is no model", "data", "prepare", "--sources", "in", "--filter", "in/a.txt", "--output", "out")]
    [InlineData(7, "b.jsonl line 1 is no JSON object", "data", "train-filter", "--labels", "in/b.jsonl", "--output", "out")]
    [InlineData(7, "holds no prepared data", "data", "report", "in")]
    [InlineData(7, "the sample (--sample) has 0 documents", "data", "label", "--sources", "in/a.txt", "--sample", "0", "--output", "labels.jsonl")]
    [InlineData(7, "none are named", "data", "label", "--labels", "in/c.jsonl", "--sample", "3", "--output", "labels.jsonl")]
    [InlineData(2, "5GB", "checkpoint", "export", "in", "--to", "out", "--max-shard-bytes", "5GB")]
    [InlineData(2, "four", "checkpoint", "import", "in", "--to", "out", "--shards", "four")]
    [InlineData(2, "--shards is 0; it must be at least 1", "checkpoint", "import", "in", "--to", "out", "--shards", "0")]
    public async Task Data_WhatCannotBeDone_SaysWhyAndEndsWithItsCode(int code, string expected, params string[] arguments)
    {
        Write("in/a.txt", "a");
        Write("in/b.jsonl", "no json\n");

        var result = await RunAsync(arguments);

        Assert.Equal(code, result.ExitCode);
        Assert.Contains(string.Format(CultureInfo.InvariantCulture, expected, _folder), result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("KILL", 137)]
    public async Task Prepare_EndedByASignal_ContinuesToTheSameFolder(string signal, int code)
    {
        Write("in/a.txt", string.Concat(Enumerable.Range(0, 2_000_000).Select(i => $"{i} ")));
        for (var i = 0; i < 100; i++)
        {
            Write($"in/{i}.py", $"# number {i % 90}\nx = ({i % 7}{(i % 3 == 0 ? "" : ")")}\n");
        }

        string[] Arguments(string output) => ["data", "prepare", "--sources", "in", "--shard-tokens", "75000", "--python-parses", "--near-duplicates", "0.9", "--only-text", "--output", output];
        await RunAsync(Arguments("whole"));

        using (var run = Start(Arguments("resumed")))
        {
            var error = run.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            while (!File.Exists(Path.Combine(_folder, "resumed/training-00000.tokens")))
            {
                Assert.False(run.HasExited);
            }

            using var kill = Process.Start("kill", [$"-{signal}", run.Id.ToString(CultureInfo.InvariantCulture)]);
            await run.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(code, run.ExitCode);
            Assert.Equal(signal == "INT", (await error).Contains("The same command continues.", StringComparison.Ordinal));
            Assert.False(File.Exists(Path.Combine(_folder, "resumed/index.json")));
        }

        var resumed = await RunAsync(Arguments("resumed"));

        Assert.True(resumed.ExitCode == 0, resumed.ToString());
        Assert.Equal(Contents("whole"), Contents("resumed"));
    }

    private Dictionary<string, string> Contents(string folder) =>
        Directory.EnumerateFiles(Path.Combine(_folder, folder)).ToDictionary(path => Path.GetFileName(path), path => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path))), StringComparer.Ordinal);

    /// <param name="path">Of programs, instead of this process's.</param>
    private Process Start(IEnumerable<string> arguments, string? path = null)
    {
        var start = new ProcessStartInfo(Phi, arguments) { WorkingDirectory = _folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PATH"] = path ?? start.Environment["PATH"];
        return Process.Start(start)!;
    }

    /// <summary>The first word may be keys for standard input, which no command is.</summary>
    private async Task<Result> RunAsync(params string[] arguments)
    {
        var hasKeys = arguments[0] is not ("data" or "checkpoint");
        using var process = Start(hasKeys ? arguments[1..] : arguments);
        await process.StandardInput.WriteAsync(hasKeys ? arguments[0] : "");
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new Result(process.ExitCode, output, await error);
    }

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_folder, path))!);
        File.WriteAllText(Path.Combine(_folder, path), text, new UTF8Encoding(false));
    }

    private sealed record Result(int ExitCode, string Output, string Error);
}
