using System.Diagnostics;
using System.Text.Json.Nodes;
using Xunit;

namespace Phi.Cli.Tests;

/// <summary><c>phi eval</c> as a process: what it prints, how it ends, and what it leaves.</summary>
public sealed class EvalCommandTests : IDisposable
{
    private const string Suite =
        """
        {"task_id": "Small/0", "prompt": "def twice(x):\n", "entry_point": "twice", "canonical_solution": "    return 2 * x\n", "test": "def check(candidate):\n    assert candidate(2) == 4\n"}
        {"task_id": "Small/1", "prompt": "def one():\n", "entry_point": "one", "canonical_solution": "    return 1\n", "test": "def check(candidate):\n    assert candidate() == 1\n"}
        """;

    private static readonly string Phi = Path.Combine(AppContext.BaseDirectory, "phi");
    private readonly string _folder = Directory.CreateTempSubdirectory("phi eval ").FullName;

    public EvalCommandTests() => Write("suite.jsonl", Suite);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Eval_References_AllPass()
    {
        var (code, output, error) = await RunAsync("--references");

        Assert.True(code == 0, error);
        Assert.Contains("samples:   2, of which 2 passed\npass@1:    1.0000\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Eval_ReferencesThatDoNotPass_EndWithSeven()
    {
        Write("suite.jsonl", Suite.Replace("return 1", "return 2", StringComparison.Ordinal));

        var (code, output, error) = await RunAsync("--references", "--failing");

        Assert.Equal(7, code);
        Assert.Contains("--- Small/1 sample 0: Failed", output, StringComparison.Ordinal);
        Assert.Contains("1 of the suite's own solutions did not pass", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Eval_Completions_AreScoredAsJsonAndKept()
    {
        Write("samples.jsonl", """
            {"task_id": "Small/0", "completion": "    return x + x\n"}
            {"task_id": "Small/0", "completion": "    print('no')\n"}
            {"task_id": "Small/1", "completion": "    return 1\nprint(1 / 0)"}
            {"task_id": "Small/1", "completion": "    return 0"}
            """);
        string[] command = ["--completions", "samples.jsonl", "--truncate", "--k", "1,2", "--failing", "-o", "json", "--output", "results"];

        var (code, output, error) = await RunAsync(command);
        var (again, same, _) = await RunAsync(command);

        Assert.True((code, again) == (0, 0), error);
        Assert.Equal(output, same);
        var report = JsonNode.Parse(output)!;
        Assert.Equal((0.5, 1.0, 2), ((double)report["passAtK"]!["1"]!, (double)report["passAtK"]!["2"]!, (int)report["verdicts"]!["Failed"]!));
        Assert.Equal("no\n", (string?)report["failing"]![0]!["stdout"]);
        Assert.Equal(4, File.ReadAllLines(Path.Combine(_folder, "results", "results.jsonl")).Length);
        Assert.Equal(0.5, (double)JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(_folder, "results", "summary.json"), TestContext.Current.CancellationToken))!["passAtK"]!["1"]!);
    }

    [Theory]
    [InlineData(7, "1 of 2 problems have no completion: Small/1", "--completions", "one.jsonl")]
    [InlineData(0, "", "--completions", "one.jsonl", "--partial")]
    [InlineData(0, "", "--completions", "one.jsonl", "--limit", "1")]
    [InlineData(7, "the first 3 are more", "--references", "--limit", "3")]
    [InlineData(7, "pass@2 needs at least 2 samples", "--completions", "one.jsonl", "--limit", "1", "--k", "2")]
    [InlineData(7, "nowhere.jsonl cannot be read", "--completions", "nowhere.jsonl")]
    [InlineData(7, "was asked for", "--references", "--sha256", "1d49078ba3e2b196b9344535bef34a43021f038fad9561d6ee7c53450609a6a2")]
    [InlineData(2, "--k is 0; it must be", "--references", "--k", "0")]
    [InlineData(2, "--k is 10 and --samples is 1", "--from-hf", "model", "--output", "results", "--k", "10")]
    [InlineData(2, "Exactly one of --references", "--references", "--from-hf", "model", "--output", "results")]
    [InlineData(2, "One of --references, --completions, --checkpoint and --from-hf is required")]
    [InlineData(2, "--output is required", "--from-hf", "model")]
    [InlineData(2, "--python", "--references", "--python", "nowhere")]
    [InlineData(2, "--timeout is 0; it must be from 1 to 3600", "--references", "--timeout", "0")]
    public async Task Eval_OfAnyKind_EndsWithItsCode(int code, string says, params string[] arguments)
    {
        Write("one.jsonl", "{\"task_id\": \"Small/0\", \"completion\": \"    return 2 * x\"}\n");

        var (ended, output, error) = await RunAsync(arguments);

        Assert.True(ended == code, $"{ended}: {output}{error}");
        Assert.Contains(says, error, StringComparison.Ordinal);
    }

    /// <summary>In a user namespace that may have none within it, as in many a container.</summary>
    [Fact]
    public async Task Eval_WhereNoNamespacesCanBeHad_RunsNothingAndSaysWhatIsMissing()
    {
        using var process = Process.Start(new ProcessStartInfo("unshare", ["-Ur", "sh", "-c", "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"", "sh", Phi, "eval", "--suite", "humaneval", "--file", "suite.jsonl", "--references"])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Empty(await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(process.ExitCode == 2, await error);
        // Root of the machine is refused a step before: within that namespace it cannot become nobody.
        Assert.Matches("user\\.max_user_namespaces|CAP_SETGID", await error);
    }

    /// <summary>A stand-in for the training executable, by its contract: it notes what it was asked for, and continues its output.</summary>
    [Fact]
    public async Task Eval_AModel_IsAskedForCompletionsAndJudged()
    {
        Trainer("""
            import fcntl, json, os, sys
            given = dict(zip(sys.argv[2::2], sys.argv[3::2]))
            open("asked", "w").write(json.dumps(sys.argv[1:]))
            print("not for the report")
            there = open(given["--output"]).read().count("\n") if os.path.exists(given["--output"]) else 0
            prompts = [json.loads(line) for line in open(given["--prompts"])]
            wanted = [(prompt, sample) for prompt in prompts for sample in range(int(given["--samples"]))]
            with open(given["--output"], "a") as output:
                fcntl.flock(output, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for prompt, sample in wanted[there:]:
                    text = "    return 2 * x\nprint('cut')" if prompt["id"] == "Small/0" and sample == 0 else "    return 1\n"
                    output.write(json.dumps({"id": prompt["id"], "sample": sample, "completion": text, "tokens": 3, "finish": "stop"}) + "\n")
                    output.flush()
                    if os.path.exists("stop"): sys.exit(7)
            """);
        Write("stop", "");
        string[] command = ["--from-hf", "a model", "--output", "results", "--samples", "2", "--temperature", "0.5", "--batch-size", "4", "-o", "json"];

        var first = await RunAsync(command);
        File.Delete(Path.Combine(_folder, "stop"));
        var (code, output, error) = await RunAsync(command);

        Assert.True(first.Code == 7 && first.Error.Contains("ended with code 7 after 1 of 4 completions", StringComparison.Ordinal), first.ToString());
        Assert.True(code == 0, error);
        Assert.Equal((3, 4, 0.75), ((int)JsonNode.Parse(output)!["passed"]!, (int)JsonNode.Parse(output)!["samples"]!, (double)JsonNode.Parse(output)!["passAtK"]!["1"]!));
        Assert.Contains("not for the report", error, StringComparison.Ordinal);
        Assert.Contains("""["complete", "--prompts", """, await File.ReadAllTextAsync(Path.Combine(_folder, "asked"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        var prompt = JsonNode.Parse(File.ReadLines(Path.Combine(_folder, "results", "prompts.jsonl")).First())!;
        Assert.Equal(("Small/0", "def twice(x):\n", "\nclass"), ((string)prompt["id"]!, (string)prompt["prompt"]!, (string)prompt["stop"]![0]!));
    }

    [Fact]
    public async Task Eval_AnotherModelInTheSameFolder_IsRefused()
    {
        Trainer("import sys; sys.exit(2)");

        Assert.Equal(2, (await RunAsync("--from-hf", "one", "--output", "results")).Code);
        var (code, _, error) = await RunAsync("--from-hf", "two", "--output", "results");

        Assert.Equal(7, code);
        Assert.Contains("whose from-hf is", error, StringComparison.Ordinal);
    }

    /// <summary>kill -9 leaves no program running.</summary>
    [Fact]
    public async Task Eval_ThatIsKilled_LeavesNoProcess()
    {
        Write("samples.jsonl", "{\"task_id\": \"Small/0\", \"completion\": \"    import time; time.sleep(1000)\"}\n");
        using var process = Start("--completions", "samples.jsonl", "--partial", "--timeout", "600");
        var programs = new List<int>();
        while ((programs = Programs(process.Id)).Count < 3)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        process.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        while (programs.Exists(id => File.Exists($"/proc/{id}/stat")))
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    /// <summary>The descendants of a process that run a sandbox.</summary>
    private static List<int> Programs(int parent)
    {
        var children = new List<int>();
        foreach (var path in Directory.EnumerateDirectories("/proc").Where(path => int.TryParse(Path.GetFileName(path), out _)))
        {
            try
            {
                var stat = File.ReadAllText(Path.Combine(path, "stat"));
                if (int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture) == parent)
                {
                    var id = int.Parse(Path.GetFileName(path), System.Globalization.CultureInfo.InvariantCulture);
                    children.AddRange([id, .. Programs(id)]);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It has ended since.
            }
        }

        return children;
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder, name), text);

    private void Trainer(string python)
    {
        Write("phi-trainer", "#!/usr/bin/env python3\n" + python);
        File.SetUnixFileMode(Path.Combine(_folder, "phi-trainer"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private Process Start(params string[] arguments) => Process.Start(new ProcessStartInfo(Phi, ["eval", "--suite", "humaneval", "--file", "suite.jsonl", .. arguments])
    {
        WorkingDirectory = _folder,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        Environment = { ["PHI_TRAINER_PATH"] = _folder },
    })!;

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output, await error);
    }
}
