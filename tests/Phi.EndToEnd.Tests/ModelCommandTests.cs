using System.Text.Json.Nodes;

namespace Phi.EndToEnd.Tests;

/// <summary>A trained model goes out as a Hugging Face folder, comes back as a job's start, and is sampled from.</summary>
public sealed class ModelCommandTests : IAsyncLifetime
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
    public async Task ExportImportRun_OfATrainedModel_StartsWhereItsLossWas()
    {
        var (checkpoints, folder) = (Path.Combine(_cluster.Home, "checkpoints"), Path.Combine(_cluster.Work, "model"));
        var first = await RunAsync("first", 60);

        var export = await PhiAsync("checkpoint", "export", Path.Combine(checkpoints, "first"), "--to", folder, "--dtype", "bf16", "--output", "json");
        var import = await PhiAsync("checkpoint", "import", folder, "--to", Path.Combine(checkpoints, "second"), "--shards", "4", "--seed", "7", "--output", "json");
        var second = await RunAsync("second", 6);
        var sample = await PhiAsync("sample", "--from-hf", folder, "--prompt", "the ", "--tokens", "20", "--temperature", "0");
        var again = await PhiAsync("checkpoint", "export", Path.Combine(checkpoints, "first"), "--to", folder);
        var tuned = await RunAsync("tuned", 6, "phi:\n    initialize: {from: {job: first}}");
        var listed = await _cluster.PhiAsync("checkpoint", "ls", "job/tuned", "--output", "json");
        var wrong = await PhiAsync("sample", "--from-hf", folder, "--tokens", "0");

        Assert.True(export.ExitCode == 0 && import.ExitCode == 0, $"{export}\n{import}");
        Assert.Equal((60, "BF16"), ((int)JsonNode.Parse(export.Output)!["step"]!, (string?)JsonNode.Parse(export.Output)!["type"]));
        Assert.Equal(4, (int)JsonNode.Parse(import.Output)!["shards"]!);
        Assert.True((double)second["firstLoss"]! < ((double)first["firstLoss"]! + (double)first["finalLoss"]!) / 2, $"{first}\n{second}");
        Assert.True((double)tuned["firstLoss"]! < ((double)first["firstLoss"]! + (double)first["finalLoss"]!) / 2, $"{first}\n{tuned}");
        Assert.Equal([6, 0], JsonNode.Parse(listed.Output)!["checkpoints"]!.AsArray().Select(one => (int)one!["step"]!));
        Assert.True(sample.ExitCode == 0 && sample.Output.StartsWith("the ", StringComparison.Ordinal), sample.ToString());
        Assert.Equal((7, 2), (again.ExitCode, wrong.ExitCode));
        Assert.Contains("name another folder, or remove it", again.Error, StringComparison.Ordinal);
        Assert.Contains("--tokens 0 must be at least 1", wrong.Error, StringComparison.Ordinal);
    }

    private async Task<JsonNode> RunAsync(string name, int steps, string phi = "phi:")
    {
        var manifest = Path.Combine(_cluster.Work, $"{name}.yaml");
        await File.WriteAllTextAsync(manifest, Manifests.Tiny(name, _corpus, steps).Replace("checkpoint: { ", $"checkpoint: {{ store: {{ folder: {{ path: {name} }} }}, ", StringComparison.Ordinal).Replace("phi:", phi, StringComparison.Ordinal), TestContext.Current.CancellationToken);
        var result = await _cluster.PhiAsync("run", manifest, "--output", "json");
        Assert.True(result.ExitCode == 0, result.ToString());
        return JsonNode.Parse(result.Output)!;
    }

    private Task<CommandResult> PhiAsync(params string[] arguments) => CommandResult.RunAsync(Tools.Phi, arguments, _cluster.Work, input: null);
}
