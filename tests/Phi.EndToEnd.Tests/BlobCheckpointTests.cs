using System.Diagnostics;
using Phi.Azurite;

namespace Phi.EndToEnd.Tests;

/// <summary>Checkpoints in a blob service, with its key in a Secret.</summary>
public sealed class BlobCheckpointTests : IAsyncLifetime
{
    private const int Steps = 400;
    private readonly AzuriteServer _azurite = new();
    private PhiCluster _cluster = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await PhiCluster.StartAsync();
        await _cluster.ApplyAsync($"""
            apiVersion: v1
            kind: Secret
            metadata: {"{name: blob-key}"}
            stringData:
              connectionString: "{_azurite.ConnectionString}"
            """);
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _azurite.Dispose();
    }

    [Fact]
    public async Task Job_WhoseRankIsKilled_GoesOnFromTheBlobsAndTellsNobodyTheKey()
    {
        var container = _azurite.NewContainer();
        await _cluster.ApplyAsync(Manifest("blobs", container.Name));
        await _cluster.WaitForAsync("blobs", job => (long?)job["status"]?["checkpoint"]?["step"] >= 20, "checkpoint");
        Process.GetProcessById(TrainingProcesses.Of(_cluster.Home).Where(process => process.IsRank).MaxBy(process => process.Id)!.Id).Kill();
        var second = await _cluster.WaitForAsync("blobs", job => (int?)job["status"]?["attempt"] == 2, "second attempt");
        var logs = (await _cluster.KubectlAsync("logs", "blobs-0")).Output;

        var job = await _cluster.WaitForSuccessAsync("blobs");

        Assert.True((long?)second["status"]!["interruptions"]![0]!["resumeStep"] >= 20, second.ToJsonString());
        Assert.StartsWith($"{container.Uri.AbsoluteUri}/default/blobs-", (string?)job["status"]!["checkpoint"]!["uri"], StringComparison.Ordinal);
        Assert.Contains(container.GetBlobs(), blob => blob.Name.EndsWith($"step-{Steps:D8}/manifest.json", StringComparison.Ordinal));
        var told = string.Join('\n', logs, job.ToJsonString(), await _cluster.EvidenceAsync(), (await _cluster.KubectlAsync("get", "pods", "-o", "yaml")).Output);
        Assert.DoesNotContain(_azurite.Key, told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Job_WhoseContainerIsMissing_FailsAtOnceAndNamesTheField()
    {
        await _cluster.ApplyAsync(Manifest("nowhere", "missing"));
        var job = await _cluster.JobAsync("nowhere");
        while ((string?)job["status"]?["phase"] is not ("Failed" or "Succeeded"))
        {
            job = await _cluster.JobAsync("nowhere");
        }

        var text = job.ToJsonString();
        Assert.Equal(1, (int?)job["status"]!["attempt"]);
        Assert.Contains("spec.checkpoint.store.azureBlob cannot be used", text, StringComparison.Ordinal);
        Assert.Contains("404 ContainerNotFound", text, StringComparison.Ordinal);
    }

    private string Manifest(string name, string container) => Manifests.Tiny(name, Manifests.WriteCorpus(_cluster.Work), Steps, everySteps: 20).Replace(
        "checkpoint: { everySteps: 20 }",
        $"checkpoint: {{ everySteps: 20, store: {{ azureBlob: {{ account: {AzuriteServer.Account}, container: {container}, secretName: blob-key, endpoint: \"{_azurite.Service.AbsoluteUri}\" }} }} }}",
        StringComparison.Ordinal);
}
