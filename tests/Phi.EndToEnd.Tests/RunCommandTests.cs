using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Phi.EndToEnd.Tests;

/// <summary><c>phi run</c>: its summary, exit codes, and Ctrl-C.</summary>
public sealed class RunCommandTests : IAsyncLifetime
{
    private PhiCluster _cluster = null!;
    private string _corpus = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await PhiCluster.StartAsync();
        _corpus = Manifests.WriteCorpus(_cluster.Work);
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact(Skip = PhiCluster.NeedsOwnControlPlane, SkipType = typeof(PhiCluster), SkipWhen = nameof(PhiCluster.IsJoined))]
    public async Task Run_ToTheEnd_PrintsOneJsonObject()
    {
        var result = await _cluster.PhiAsync("run", Write("good", Manifests.Tiny("good", _corpus, steps: 30)), "--output", "json");

        Assert.True(result.ExitCode == 0, result.ToString());
        var summary = JsonNode.Parse(result.Output)!.AsObject();
        Assert.Equal(["state", "steps", "firstLoss", "finalLoss", "tokensPerSecond", "attempts", "checkpointStep", "goodput", "dashboardUrl"], summary.Select(pair => pair.Key));
        Assert.Equal(("Succeeded", 30, 1, 30), ((string?)summary["state"], (int)summary["steps"]!, (int)summary["attempts"]!, (int)summary["checkpointStep"]!));
        Assert.True((double)summary["finalLoss"]! < (double)summary["firstLoss"]!);
        Assert.Contains("step", result.Error, StringComparison.Ordinal);
    }

    [Fact(Skip = PhiCluster.NeedsOwnControlPlane, SkipType = typeof(PhiCluster), SkipWhen = nameof(PhiCluster.IsJoined))]
    public async Task Run_AsText_EndsWithASampleOfTheModel()
    {
        var result = await _cluster.PhiAsync("run", Write("text", Manifests.Tiny("text", _corpus, steps: 30)));

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("final loss:", result.Output, StringComparison.Ordinal);
        Assert.Contains("Sample from the trained model:\ndef ", result.Output, StringComparison.Ordinal);
    }

    [Fact(Skip = PhiCluster.NeedsOwnControlPlane, SkipType = typeof(PhiCluster), SkipWhen = nameof(PhiCluster.IsJoined))]
    public async Task Run_OnPreparedDataWithATrainedTokenizer_SavesTheTokenizerWithTheModel()
    {
        var (tokenizer, data) = (Path.Combine(_cluster.Work, "tokenizer"), Path.Combine(_cluster.Work, "prepared"));
        await DataAsync("train-tokenizer", "--sources", _corpus, "--vocabulary-size", "300", "--output", tokenizer);
        await DataAsync("prepare", "--sources", _corpus, "--tokenizer", $"bpe:{tokenizer}", "--held-out", "0.1", "--held-out-tokens", "100", "--output", data);
        var manifest = Manifests.Tiny("prepared", "CORPUS", steps: 20).Replace("CORPUS/*.txt", data, StringComparison.Ordinal).Replace("vocabularySize: 257, ", "", StringComparison.Ordinal);

        var result = await _cluster.PhiAsync("run", Write("prepared", manifest), "--output", "json");

        Assert.True(result.ExitCode == 0, result.ToString());
        var summary = JsonNode.Parse(result.Output)!;
        Assert.True((double)summary["finalLoss"]! < (double)summary["firstLoss"]!, result.Output);
        var saved = Directory.GetDirectories(_cluster.Checkpoints, "step-00000020", SearchOption.AllDirectories).Single();
        Assert.Equal("bpe", (string)JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(saved, "phi_tokenizer.json"), TestContext.Current.CancellationToken))!["kind"]!);
        Assert.Equal(File.ReadAllBytes(Path.Combine(tokenizer, "vocab.json")), File.ReadAllBytes(Path.Combine(saved, "vocab.json")));
        Assert.Equal(300, (int)JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(saved, "manifest.json"), TestContext.Current.CancellationToken))!["model"]!["vocabularySize"]!);
    }

    private async Task DataAsync(params string[] arguments)
    {
        var result = await CommandResult.RunAsync(Tools.Phi, ["data", .. arguments], _cluster.Work, input: null);
        Assert.True(result.ExitCode == 0, result.ToString());
    }

    [Fact(Skip = PhiCluster.NeedsOwnControlPlane, SkipType = typeof(PhiCluster), SkipWhen = nameof(PhiCluster.IsJoined))]
    public async Task Run_OfAJobThatFails_ExitsWith6AndSaysWhy()
    {
        var result = await _cluster.PhiAsync("run", Write("failing", Manifests.Tiny("failing", "/nowhere")));

        Assert.Equal(6, result.ExitCode);
        Assert.Contains("'/nowhere/*.txt' matches no file", result.Error, StringComparison.Ordinal);
    }

    [Fact(Skip = PhiCluster.NeedsOwnControlPlane, SkipType = typeof(PhiCluster), SkipWhen = nameof(PhiCluster.IsJoined))]
    public async Task Run_OfARefusedManifest_ExitsWith3()
    {
        var result = await _cluster.PhiAsync("run", Write("refused", Manifests.Tiny("refused", _corpus, steps: 0)));

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("take at least one step", result.Error, StringComparison.Ordinal);
    }

    [Fact(Skip = PhiCluster.NeedsOwnControlPlane, SkipType = typeof(PhiCluster), SkipWhen = nameof(PhiCluster.IsJoined))]
    public async Task Run_Interrupted_SavesAndResumesWithTheSameCommand()
    {
        // More steps than any machine takes meanwhile: the signal must find the job training.
        var manifest = Write("interrupted", Manifests.Tiny("interrupted", _corpus, steps: 1_000_000, everySteps: 500_000));

        var first = await InterruptAsync(manifest, "interrupted", 10);
        var second = await InterruptAsync(manifest, "interrupted", first + 1);

        Assert.True(second > first, $"saved {first}, then {second}");
        Assert.Equal(2, (int)(await _cluster.JobAsync("interrupted"))["status"]!["attempt"]!);
    }

    /// <summary>Runs the manifest, interrupts it after the step, and returns the step that it says is saved.</summary>
    private async Task<long> InterruptAsync(string manifest, string name, long step)
    {
        var start = new ProcessStartInfo(Tools.Phi, ["run", manifest, "--home", _cluster.Home]) { RedirectStandardError = true, RedirectStandardOutput = true };
        using var run = Process.Start(start)!;
        var error = run.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        while ((await _cluster.KubectlAsync("get", "tj", name)).ExitCode != 0)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        }

        await _cluster.WaitForStepAsync(name, step);
        using (var kill = Process.Start("kill", ["-INT", $"{run.Id}"]))
        {
            await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        await run.WaitForExitAsync(TestContext.Current.CancellationToken);
        var saved = (long)(await _cluster.JobAsync(name))["status"]!["checkpoint"]!["step"]!;
        Assert.Equal(130, run.ExitCode);
        Assert.Contains($"step {saved} is saved. Resume with: phi run {manifest}", await error, StringComparison.Ordinal);
        Assert.Empty(TrainingProcesses.Of(_cluster.Home));
        return saved;
    }

    private string Write(string name, string manifest)
    {
        var path = Path.Combine(_cluster.Work, $"{name}.yaml");
        File.WriteAllText(path, manifest);
        return path;
    }
}
