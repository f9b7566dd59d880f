using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Phi.Cli.Tests;

/// <summary><c>phi checkpoint</c> as a process, on folders.</summary>
public sealed class CheckpointCommandsTests : IDisposable
{
    private static readonly string Phi = Path.Combine(AppContext.BaseDirectory, "phi");
    private readonly string _folder = Directory.CreateTempSubdirectory("phi checkpoint commands ").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Run => Path.Combine(_folder, "run");

    [Fact]
    public async Task Ls_OfARunWithEveryKind_ListsThemNewestFirst()
    {
        SavedCheckpoints.Save(Run, 10);
        SavedCheckpoints.Save(Run, 20, shards: 2);
        SavedCheckpoints.Save(Run, 30);
        File.WriteAllText(Step(30, "manifest.json"), "{");
        await Succeed("checkpoint", "pin", Step(20), "--why", "the paper's");

        var table = await Succeed("checkpoint", "ls", "run");
        var json = JsonNode.Parse((await Succeed("checkpoint", "ls", Run, "-o", "json")).Output)!["checkpoints"]!.AsArray();

        var lines = table.Output.TrimEnd().Split('\n');
        Assert.StartsWith("STEP  TIME", lines[0], StringComparison.Ordinal);
        Assert.Contains("Damaged", lines[1], StringComparison.Ordinal);
        Assert.Contains("the paper's", lines[2], StringComparison.Ordinal);
        Assert.Contains("1970-01-01 00:00:10Z", lines[3], StringComparison.Ordinal);
        Assert.Equal([(30, null), (20, 2), (10, 1)], json.Select(one => ((int)one!["step"]!, (int?)one["ranks"])));
        Assert.Equal("the paper's", (string)json[1]!["pin"]!["why"]!);
        Assert.Contains("cannot be read", (string)json[0]!["problem"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_GoodAndDamaged_TellsWhichByItsExitCode()
    {
        SavedCheckpoints.Save(Run, 10);
        SavedCheckpoints.Save(Run, 20);
        Assert.Contains("step 10: good (1 shards", (await Succeed("checkpoint", "verify", "run")).Output, StringComparison.Ordinal);
        Flip(Directory.GetFiles(Step(20), "*.safetensors").Single());

        var all = await RunAsync("checkpoint", "verify", "run", "--output", "json");
        var one = await RunAsync("checkpoint", "verify", Step(10));
        var named = await RunAsync("checkpoint", "verify", Step(20));

        Assert.Equal((7, 0, 7), (all.ExitCode, one.ExitCode, named.ExitCode));
        Assert.Equal("", all.Error);
        var report = JsonNode.Parse(all.Output)!;
        Assert.False((bool)report["isGood"]!);
        Assert.Equal([false, true], report["checkpoints"]!.AsArray().Select(checkpoint => checkpoint!["problem"] is null));
        Assert.Contains("step 20: DAMAGED", named.Output, StringComparison.Ordinal);
        Assert.Contains("MB checked (100 %)", one.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prune_DryRunAndThenForGood_RemovesWhatItSaid()
    {
        foreach (var step in new[] { 10, 20, 30, 40 })
        {
            SavedCheckpoints.Save(Run, step);
        }

        await Succeed("checkpoint", "pin", Step(10));
        var dry = await Succeed("checkpoint", "prune", "run", "--keep-last", "1", "--keep-every", "20", "--dry-run");
        Assert.Equal(4, Directory.GetDirectories(Run, "step-*").Length);
        var pruned = JsonNode.Parse((await Succeed("checkpoint", "prune", "run", "--keep-last", "1", "--keep-every", "20", "-o", "json")).Output)!;

        Assert.Contains("go     the newest 1 are kept", dry.Output.Replace("would", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(["40 Newest", "30 Older", "20 KeepEvery", "10 Pinned"], pruned["decisions"]!.AsArray().Select(one => $"{one!["step"]} {one["reason"]}"));
        Assert.Equal(["step-00000010", "step-00000020", "step-00000040"], Directory.GetDirectories(Run, "step-*").Select(Path.GetFileName).Order(StringComparer.Ordinal));
        await Succeed("checkpoint", "unpin", Step(10));
        await Succeed("checkpoint", "prune", "run", "--keep-last", "1");
        Assert.Single(Directory.GetDirectories(Run, "step-*"));
    }

    [Fact]
    public async Task Copy_ToAnotherFolder_IsEqualAndIsNotReplaced()
    {
        SavedCheckpoints.Save(Run, 10, shards: 3);
        SavedCheckpoints.Save(Path.Combine(_folder, "other"), 10, seed: 2);

        var copy = await Succeed("checkpoint", "copy", "run", "--to", "copy", "--output", "json");
        var again = await Succeed("checkpoint", "copy", "run", "--to", "copy");
        var refused = await RunAsync("checkpoint", "copy", "other", "--to", "copy");
        var same = JsonNode.Parse((await Succeed("checkpoint", "diff", "run", "copy", "--output", "json")).Output)!;

        Assert.Equal(10, (int)JsonNode.Parse(copy.Output)!["step"]!);
        Assert.Contains("is there already", again.Output, StringComparison.Ordinal);
        Assert.Equal(7, refused.ExitCode);
        Assert.Contains("is another checkpoint, and is not replaced; name another place with --to", refused.Error, StringComparison.Ordinal);
        Assert.True((bool)same["isEqual"]!);
        Assert.DoesNotContain(Directory.GetFiles(_folder, "*", SearchOption.AllDirectories), file => Path.GetFileName(file).StartsWith("use-", StringComparison.Ordinal));
        await Succeed("checkpoint", "verify", "copy");
    }

    [Fact]
    public async Task Diff_OfOtherCuts_SeesValuesAndNotShards()
    {
        SavedCheckpoints.Save(Run, 10, shards: 4);
        SavedCheckpoints.Save(Run, 20, shards: 3);
        SavedCheckpoints.Save(Run, 30, seed: 3);

        var equal = await Succeed("checkpoint", "diff", Step(10), Step(20));
        var other = await Succeed("checkpoint", "diff", Step(10), Step(30));

        Assert.Contains("worldSize: 4 | 3", equal.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("TENSOR", equal.Output, StringComparison.Ordinal);
        Assert.Matches("seed: 1 \\| 3\n", other.Output);
        Assert.Matches("wte|embed", other.Output);
        Assert.Contains("weights: 0 of", other.Output, StringComparison.Ordinal);
        Assert.Matches(" 2 +2\n", other.Output);
    }

    [Fact]
    public async Task Export_ThenImport_GivesTheWeightsBack()
    {
        SavedCheckpoints.Save(Run, 10, shards: 2);

        var export = JsonNode.Parse((await Succeed("checkpoint", "export", "run", "--to", "model", "-o", "json")).Output)!;
        var import = JsonNode.Parse((await Succeed("checkpoint", "import", "model", "--to", "imported", "--shards", "3", "-o", "json")).Output)!;
        var difference = JsonNode.Parse((await Succeed("checkpoint", "diff", "run", "imported", "-o", "json")).Output)!;

        Assert.Equal((10, 3), ((int)export["step"]!, (int)import["shards"]!));
        Assert.All(difference["tensors"]!.AsArray(), tensor => Assert.Equal((string)tensor!["kind"]! == "weights", (bool)tensor["isEqual"]!));
    }

    [Theory]
    [InlineData(7, "'nowhere' is no folder", "ls", "nowhere")]
    [InlineData(7, "'empty' holds no checkpoint", "verify", "empty")]
    [InlineData(7, "holds no checkpoint", "pin", "empty")]
    [InlineData(7, "holds no checkpoint", "copy", "empty", "--to", "out")]
    [InlineData(7, "is no checkpoint; its name would be step- and eight digits", "ls", "run/step-10")]
    [InlineData(2, "names no step; name the pinned checkpoint", "unpin", "run")]
    [InlineData(2, "names one step; name the place", "prune", "run/step-00000010", "--keep-last", "1")]
    [InlineData(2, "--keep-last is 0; it must be at least 1", "prune", "run", "--keep-last", "0")]
    [InlineData(2, "--orphan-grace 'soon' is no duration", "prune", "run", "--keep-last", "1", "--orphan-grace", "soon")]
    [InlineData(2, "it must be table or json. Where to write is named by --to", "export", "run", "--to", "x", "--output", "model")]
    [InlineData(2, "names no job's checkpoint; write job/NAME", "ls", "job/name@newest")]
    [InlineData(4, "the kubeconfig nowhere cannot be used", "ls", "job/name", "--kubeconfig", "nowhere")]
    public async Task Checkpoint_WhatCannotBeDone_SaysWhyAndEndsWithItsCode(int code, string expected, params string[] arguments)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "empty"));
        SavedCheckpoints.Save(Run, 10);
        Directory.CreateDirectory(Path.Combine(Run, "step-10"));

        var result = await RunAsync(["checkpoint", .. arguments]);

        Assert.True(code == result.ExitCode, result.ToString());
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
    }

    private string Step(long step, string file = "") => Path.TrimEndingDirectorySeparator(Path.Combine(Run, $"step-{step:D8}", file));

    private static void Flip(string file)
    {
        var bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);
    }

    private async Task<Result> Succeed(params string[] arguments)
    {
        var result = await RunAsync(arguments);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result;
    }

    private async Task<Result> RunAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Phi, arguments) { WorkingDirectory = _folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new Result(process.ExitCode, output, await error);
    }

    private sealed record Result(int ExitCode, string Output, string Error);
}
