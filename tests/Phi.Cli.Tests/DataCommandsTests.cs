using System.Diagnostics;
using System.Globalization;
using System.Text;
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

    [Theory]
    [InlineData(7, "'{0}/nowhere' matches no file", "data", "prepare", "--sources", "nowhere", "--output", "out")]
    [InlineData(7, "tokenizer 'words' is none of", "data", "prepare", "--sources", "in", "--tokenizer", "words", "--output", "out")]
    [InlineData(7, "b.jsonl line 1 is no JSON object", "data", "prepare", "--sources", "in", "--output", "out")]
    [InlineData(7, "holds no prepared data", "data", "verify", "in")]
    [InlineData(7, "ask for at least 257", "data", "train-tokenizer", "--sources", "in/a.txt", "--vocabulary-size", "10", "--output", "out")]
    [InlineData(2, "--output", "data", "prepare", "--sources", "in")]
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
        string[] Arguments(string output) => ["data", "prepare", "--sources", "in", "--shard-tokens", "75000", "--output", output];
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

    private Process Start(IEnumerable<string> arguments) =>
        Process.Start(new ProcessStartInfo(Phi, arguments) { WorkingDirectory = _folder, RedirectStandardOutput = true, RedirectStandardError = true })!;

    private async Task<Result> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
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
