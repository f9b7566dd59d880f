using System.Text.Json.Nodes;
using Azure.Storage.Blobs;
using Phi.Azurite;

namespace Phi.EndToEnd.Tests;

/// <summary>Jobs whose checkpoints lie in a blob service, with its key in a Secret. The service is Azurite.</summary>
public sealed class AzureBlobTests : IAsyncLifetime
{
    private const string Secret = "blob-key";
    private const int Steps = 200;
    private readonly AzuriteServer _azurite = new();
    private BlobContainerClient _container = null!;
    private PhiCluster _cluster = null!;
    private string _corpus = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await PhiCluster.StartAsync();
        _corpus = Manifests.WriteCorpus(_cluster.Work);
        _container = _azurite.NewContainer();
        await SecretAsync(Secret, _azurite.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _azurite.Dispose();
    }

    [Fact(Skip = PhiCluster.NeedsOwnControlPlane, SkipType = typeof(PhiCluster), SkipWhen = nameof(PhiCluster.IsJoined))]
    public async Task Run_KilledInTheMiddle_GoesOnFromTheBlobsAndNothingSaysTheKey()
    {
        var manifest = Path.Combine(_cluster.Work, "blobs.yaml");
        await File.WriteAllTextAsync(manifest, Manifest("blobs", Blob()), TestContext.Current.CancellationToken);
        var running = _cluster.PhiAsync("run", manifest);
        while ((await _cluster.KubectlAsync("get", "tj", "blobs")).ExitCode != 0)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        }

        await _cluster.WaitForAsync("blobs", job => (long?)job["status"]?["checkpoint"]?["step"] >= 20, "checkpoint");
        TrainingProcesses.KillARank(_cluster.Home);
        var run = await running;

        Assert.True(run.ExitCode == 0, run.ToString());
        var status = (await _cluster.JobAsync("blobs"))["status"]!;
        Assert.True((int)status["attempt"]! >= 2, status.ToJsonString());
        Assert.Equal(Steps, (int)status["checkpoint"]!["step"]!);
        Assert.StartsWith($"{_container.Uri.AbsoluteUri}/default/blobs-", (string)status["checkpoint"]!["uri"]!, StringComparison.Ordinal);
        var log = (await _cluster.KubectlAsync("logs", "blobs-0")).Output;
        Assert.True(ResumedFrom(log) >= 20, log);
        Assert.False(Directory.Exists(_cluster.Checkpoints) && Directory.EnumerateDirectories(_cluster.Checkpoints, "step-*", SearchOption.AllDirectories).Any());

        var listed = await _cluster.PhiWithAsync(new Dictionary<string, string> { ["AZURE_STORAGE_CONNECTION_STRING"] = _azurite.ConnectionString }, "checkpoint", "ls", "job/blobs", "--output", "json");
        Assert.True(listed.ExitCode == 0, listed.ToString());
        Assert.Contains($"{Steps}", listed.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(_azurite.Key, run.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(_azurite.Key, log, StringComparison.Ordinal);
        await new Canaries(_cluster).AreNowhereAsync(("the account's key", _azurite.Key));
    }

    [Fact]
    public async Task Initialize_FromBlobsOrFromTheJobThatHasThem_BeginsWithItsWeights()
    {
        await _cluster.ApplyAsync(Manifest("source", Blob()));
        var uri = (string)(await _cluster.WaitForSuccessAsync("source"))["status"]!["checkpoint"]!["uri"]!;
        var prefix = uri[(_container.Uri.AbsoluteUri.Length + 1)..uri.LastIndexOf('/')];

        await _cluster.ApplyAsync(Beginning("by-place", $"azureBlob: {Blob(prefix: prefix)}"));
        await _cluster.ApplyAsync(Beginning("by-job", "job: source"));

        foreach (var name in new[] { "by-place", "by-job" })
        {
            await _cluster.WaitForSuccessAsync(name);
            Assert.Contains($"begins with the weights of step {Steps} of run ", (await _cluster.KubectlAsync("logs", $"{name}-0")).Output, StringComparison.Ordinal);
        }
    }

    /// <summary>Before a step is trained, in the job's condition and in an event.</summary>
    [Fact]
    public async Task Job_WhoseBlobsCannotBeUsed_EndsBeforeItTrainsAndSaysWhy()
    {
        await SecretAsync("other-key", _azurite.ConnectionString.Replace(_azurite.Key, Convert.ToBase64String(new byte[64]), StringComparison.Ordinal));
        await SecretAsync("other-account", _azurite.ConnectionString.Replace($"AccountName={AzuriteServer.Account}", "AccountName=phiothers", StringComparison.Ordinal));
        await _cluster.ApplyAsync(Manifest("no-container", Blob(container: "nosuchcontainer")));
        await _cluster.ApplyAsync(Manifest("no-key", Blob(secret: "other-key")));
        await _cluster.ApplyAsync(Manifest("no-account", Blob(secret: "other-account")));
        await _cluster.ApplyAsync(Beginning("no-source", $"azureBlob: {Blob(secret: "other-key", prefix: "somewhere")}"));

        await FailsAsync("no-container", "spec.checkpoint.store.azureBlob cannot be used: Azure Blob account 'phitests', container 'nosuchcontainer': the service answered 404 ContainerNotFound; create the container");
        await FailsAsync("no-key", "the service answered 403 AuthorizationFailure");
        await FailsAsync("no-account", "is of the account 'phiothers'", "name that account");
        await FailsAsync("no-source", "spec.phi.initialize.from.azureBlob cannot be used: Azure Blob account 'phitests'", "the service answered 403 AuthorizationFailure");
    }

    [Fact]
    public async Task Job_WhoseSecretIsNotThereYet_SaysWhatItWaitsForAndStartsWhenItIs()
    {
        await _cluster.ApplyAsync(Manifests.Tiny("late", _corpus, steps: 10).Replace("everySteps: 10", $"everySteps: 10, store: {{azureBlob: {Blob(secret: "late-key")}}}", StringComparison.Ordinal));

        await _cluster.WaitForAsync("late", job => Starting(job)?.Contains("cannot start: CreateContainerConfigError: secret \"late-key\" not found", StringComparison.Ordinal) == true, "word of the missing Secret");
        await SecretAsync("late-key", _azurite.ConnectionString);

        var status = (await _cluster.WaitForSuccessAsync("late"))["status"]!;
        Assert.Equal((1, 10), ((int)status["attempt"]!, (int)status["checkpoint"]!["step"]!));

        static string? Starting(JsonNode job) => (string?)(job["status"]?["conditions"] as JsonArray)?.FirstOrDefault(condition => (string?)condition!["type"] == "Training")?["message"];
    }

    private async Task FailsAsync(string name, params string[] says)
    {
        var waited = await _cluster.KubectlAsync("wait", $"tj/{name}", "--for=condition=Finished", "--timeout=300s");
        Assert.True(waited.ExitCode == 0, $"{waited}\n{await _cluster.EvidenceAsync()}");
        var status = (await _cluster.JobAsync(name))["status"]!;
        Assert.Equal(("Failed", 0), ((string?)status["phase"], (int?)status["progress"]?["step"] ?? 0));
        var message = (string)status["conditions"]!.AsArray().First(condition => (string?)condition!["type"] == "Finished")!["message"]!;
        Assert.All(says, words => Assert.Contains(words, message, StringComparison.Ordinal));
        await _cluster.WaitForEventAsync(name, says);
    }

    private async Task SecretAsync(string name, string connection)
    {
        var made = await _cluster.KubectlAsync("create", "secret", "generic", name, $"--from-literal=connectionString={connection}");
        Assert.True(made.ExitCode == 0, made.ToString());
    }

    private string Blob(string? container = null, string secret = Secret, string? prefix = null) =>
        $"{{account: {AzuriteServer.Account}, container: {container ?? _container.Name}, endpoint: '{_azurite.Service.AbsoluteUri}', secretName: {secret}{(prefix is null ? "" : $", prefix: {prefix}")}}}";

    private string Manifest(string name, string blob) =>
        Manifests.Tiny(name, _corpus, Steps, everySteps: 20).Replace("everySteps: 20", $"everySteps: 20, store: {{azureBlob: {blob}}}", StringComparison.Ordinal);

    private string Beginning(string name, string from) =>
        Manifests.Tiny(name, _corpus, steps: 10).Replace("seed: 7", $"seed: 7\n    initialize: {{from: {{{from}}}}}", StringComparison.Ordinal);

    /// <summary>The step from which the first attempt after the kill trained; -1 if none did. On a busy machine one may end before it trains.</summary>
    private static long ResumedFrom(string log)
    {
        var line = log.Split('\n').FirstOrDefault(line => line.Contains(": training from step ", StringComparison.Ordinal) && !line.Contains("attempt 1: ", StringComparison.Ordinal));
        return line is null ? -1 : long.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }
}
