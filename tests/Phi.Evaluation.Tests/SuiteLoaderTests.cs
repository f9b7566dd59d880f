using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Phi.Evaluation.Suites;

namespace Phi.Evaluation.Tests;

/// <summary>Suites as they are published, and what is said of those that are not.</summary>
public sealed class SuiteLoaderTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly HttpClient _http = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _http.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Load_HumanEval_IsTheProblemsInOrder()
    {
        var suite = await LoadAsync(SuiteKind.HumanEval, SmallSuite.HumanEval);

        Assert.Equal(["Small/0", "Small/1"], suite.Problems.Select(one => one.TaskId));
        Assert.Equal("twice", suite.Problems[0].EntryPoint);
        Assert.Equal(["\nclass", "\ndef", "\n#", "\nif", "\nprint"], suite.StopSequences);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(SmallSuite.HumanEval))), suite.Sha256);
    }

    [Fact]
    public async Task Load_Gzip_IsTheSameProblems()
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionMode.Compress))
        {
            gzip.Write(Encoding.UTF8.GetBytes(SmallSuite.HumanEval));
        }

        var path = _folder["suite"];
        await File.WriteAllBytesAsync(path, memory.ToArray(), Cancellation);

        Assert.Equal(2, (await LoadFileAsync(SuiteKind.HumanEval, path)).Problems.Count);

        await File.WriteAllBytesAsync(path, memory.ToArray()[..^9], Cancellation);
        Assert.Contains("damaged gzip", await RefusalAsync(SuiteKind.HumanEval, path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_GzipThatUnpacksToTooMuch_IsRefused()
    {
        var path = _folder["bomb.gz"];
        await using (var gzip = new GZipStream(File.Create(path), CompressionLevel.Fastest))
        {
            var zeros = new byte[1 << 20];
            for (var i = 0; i <= 256; i++)
            {
                await gzip.WriteAsync(zeros, Cancellation);
            }
        }

        Assert.Contains("more than 256 MiB", await RefusalAsync(SuiteKind.HumanEval, path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_Mbpp_IsTheTestPartWithTestsInThePrompt()
    {
        var suite = await LoadAsync(SuiteKind.Mbpp, SmallSuite.Mbpp);

        Assert.Equal(["MBPP/11", "MBPP/367"], suite.Problems.Select(one => one.TaskId));
        Assert.Equal("\"\"\"\nWrite a function to add.\nassert sum(1, 2) == 3\nassert math.isclose(sum(0.5, 1), 1.5)\n\"\"\"\n", suite.Problems[0].Prompt);
        Assert.Null(suite.Problems[0].EntryPoint);
        Assert.DoesNotContain('\r', suite.Problems[0].CanonicalCompletion);
        Assert.StartsWith("root = Node(1)", suite.Problems[1].Tests[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_SanitizedMbpp_HasItsImportsAmongTheTests()
    {
        var suite = await LoadAsync(SuiteKind.Mbpp, """[{"source_file": "a", "task_id": 82, "prompt": "Write.", "code": "def f(): return 1", "test_imports": ["import math"], "test_list": ["assert math.isclose(f(), 1)"]}]""");

        Assert.Equal(["import math", "assert math.isclose(f(), 1)"], Assert.Single(suite.Problems).Tests);
    }

    [Theory]
    [InlineData(SuiteKind.HumanEval, "prompt", null, "line 1: field prompt is missing")]
    [InlineData(SuiteKind.HumanEval, "test", "3", "line 1: field test must be a string")]
    [InlineData(SuiteKind.HumanEval, "entry_point", "\"f(x)\"", "line 1: field entry_point is 'f(x)'; it must be the name of a Python function")]
    [InlineData(SuiteKind.HumanEval, "task_id", "\"\"", "line 1: field task_id must have 1 to 200 characters")]
    [InlineData(SuiteKind.HumanEval, "test", "\"a\\u0000b\"", "line 1: field test holds a NUL character")]
    [InlineData(SuiteKind.HumanEval, "test", "\"\\ud800\"", "line 1: field test holds half of a surrogate pair")]
    [InlineData(SuiteKind.Mbpp, "task_id", "\"11\"", "line 1: field task_id must be a whole number")]
    [InlineData(SuiteKind.Mbpp, "text", null, "line 1: field text is missing")]
    [InlineData(SuiteKind.Mbpp, "test_list", "[]", "line 1: field test_list is empty")]
    [InlineData(SuiteKind.Mbpp, "test_list", "\"assert\"", "line 1: field test_list must be a list of strings")]
    [InlineData(SuiteKind.Mbpp, "test_list", "[\"a\", 2]", "line 1: field test_list[1] must be a string")]
    public async Task Load_AWrongRecord_SaysFileLineFieldAndRemedy(SuiteKind kind, string field, string? value, string says)
    {
        var record = JsonNode.Parse((kind == SuiteKind.Mbpp ? SmallSuite.Mbpp : SmallSuite.HumanEval).Split('\n')[0])!.AsObject();
        record.Remove(field);
        var text = record.ToJsonString()[..^1] + (value is null ? "}" : $", \"{field}\": {value}}}");
        var path = _folder.Write("wrong.jsonl", text);

        var refusal = await RefusalAsync(kind, path);

        Assert.StartsWith($"{path} {says}", refusal, StringComparison.Ordinal);
        Assert.Contains("record is", refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", "line 1 is no JSON")]
    [InlineData("\n\n[]", "line 3 is no JSON object")]
    [InlineData("", "holds no problem")]
    public async Task Load_WhatIsNoSuite_SaysSo(string text, string says) =>
        Assert.Contains(says, await RefusalAsync(SuiteKind.HumanEval, _folder.Write("none.jsonl", text)), StringComparison.Ordinal);

    [Fact]
    public async Task Load_ATaskIdTwice_NamesBothPlaces()
    {
        var line = SmallSuite.HumanEval.Split('\n')[0];
        var path = _folder.Write("twice.jsonl", $"{line}\n\n{line}\n");

        Assert.Contains($"{path} line 3: field task_id is Small/0, which {path} line 1 has too", await RefusalAsync(SuiteKind.HumanEval, path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_ADigest_MustBeTheFilesOwn()
    {
        var path = _folder.Write("suite.jsonl", SmallSuite.HumanEval);
        var seen = (await LoadFileAsync(SuiteKind.HumanEval, path)).Sha256;

        Assert.Equal(2, (await LoadFileAsync(SuiteKind.HumanEval, path, seen.ToUpperInvariant())).Problems.Count);
        Assert.Contains($"has the SHA-256 {seen}; {new string('0', 64)} was asked for", await RefusalAsync(SuiteKind.HumanEval, path, new string('0', 64)), StringComparison.Ordinal);
        Assert.Contains("must have 64 hexadecimal digits", await RefusalAsync(SuiteKind.HumanEval, path, "abc"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_AnAddress_NeedsADigestThatIsKnown()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/HumanEval.jsonl";
        var body = Encoding.UTF8.GetBytes(SmallSuite.HumanEval);
        var serving = ServeAsync(listener, body, 2);
        var digest = Convert.ToHexStringLower(SHA256.HashData(body));

        Assert.Contains($"Give --sha256 {digest}", await RefusalAsync(SuiteKind.HumanEval, address), StringComparison.Ordinal);
        Assert.Equal(2, (await LoadFileAsync(SuiteKind.HumanEval, address, digest)).Problems.Count);
        await serving;
    }

    [Fact]
    public async Task Load_NoSuchFile_SaysSo() => Assert.Contains("cannot be read", await RefusalAsync(SuiteKind.HumanEval, _folder["nowhere"]), StringComparison.Ordinal);

    private static async Task ServeAsync(TcpListener listener, byte[] body, int times)
    {
        for (var i = 0; i < times; i++)
        {
            using var client = await listener.AcceptTcpClientAsync(Cancellation);
            await using var stream = client.GetStream();
            using var reader = new StreamReader(stream, leaveOpen: true);
            while (await reader.ReadLineAsync(Cancellation) is { Length: > 0 })
            {
            }

            await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n"), Cancellation);
            await stream.WriteAsync(body, Cancellation);
        }
    }

    private Task<Suite> LoadAsync(SuiteKind kind, string text) => LoadFileAsync(kind, _folder.Write("suite.jsonl", text));

    private Task<Suite> LoadFileAsync(SuiteKind kind, string source, string? sha256 = null) => new SuiteLoader(_http).LoadAsync(kind, source, sha256, Cancellation);

    private async Task<string> RefusalAsync(SuiteKind kind, string source, string? sha256 = null) =>
        (await Assert.ThrowsAsync<EvaluationException>(() => LoadFileAsync(kind, source, sha256))).Message;
}
