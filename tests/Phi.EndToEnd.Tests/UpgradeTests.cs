using System.Text.Json.Nodes;
using Phi.Api.Manifests;
using Phi.Chaos;

namespace Phi.EndToEnd.Tests;

/// <summary>
/// An upgrade and the way back under running jobs: the definitions grow by fields that this operator does not know and shrink to those of the first release, and a new operator
/// takes over at either; in between they lack what this operator writes. The built-in trainer and a program of its own train on meanwhile.
/// </summary>
public sealed class UpgradeTests : IAsyncLifetime
{
    private const string New = "ofTomorrow";
    private const string BuiltIn = "built-in";
    private const string Program = "program";
    private PhiCluster _cluster = null!;
    private string _corpus = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _cluster = await PhiCluster.StartAsync();
        _corpus = Manifests.WriteCorpus(_cluster.Work);
    }

    /// <summary>A cluster that was there before keeps the definitions of this release.</summary>
    public async ValueTask DisposeAsync()
    {
        await DefineAsync(Path.Combine("operators", "crds"), _ => { });
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Jobs_OverAnUpgradeAndARollback_TrainOnInTheirFirstAttempt()
    {
        // More steps than any machine takes meanwhile.
        var manifest = Manifests.Tiny(BuiltIn, _corpus, steps: 10_000_000, everySteps: 20);
        await _cluster.ApplyAsync(manifest);
        await _cluster.ApplyAsync($$"""
            apiVersion: phi-orchestrator.io/v1alpha1
            kind: TrainingJob
            metadata: {name: {{Program}}}
            spec:
              replicas: 1
              accelerator: {type: cpu, perReplica: 1}
              template: {env: [{name: WORK, value: "{{_cluster.Work}}"}]}
              container: {image: "python:3", command: [python3, "{{Path.Combine(AppContext.BaseDirectory, "train_on.py")}}"]}
            """);
        await TrainOnAsync();
        var ranks = Ranks();

        await DefineAsync(Path.Combine("operators", "crds"), Grow);
        await PatchAsync($$"""{"spec": {"{{New}}": "wish"} }""");
        await PatchAsync($$"""{"status": {"{{New}}": "word"} }""", "--subresource=status");
        await _cluster.ReplaceTheOperatorAsync();
        await TrainOnAsync();
        Assert.Equal(("wish", "word"), await NewFieldsAsync());

        // Of what this operator writes, the API server now refuses a part: the progress goes on, the rest is told when it is known again.
        await DefineAsync(Path.Combine("operators", "crds"), Shrink);
        Assert.Equal((null, null), await NewFieldsAsync());
        await TrainOnAsync();
        await SubmissionIsRefusedAsync(manifest);

        await DefineAsync(Path.Combine("tests", "Phi.Api.Tests", "Released", "0.1.0"), _ => { });
        await _cluster.WaitForAsync(BuiltIn, job => job["status"]?["placement"] is JsonArray { Count: 2 }, "placement");
        await _cluster.ReplaceTheOperatorAsync();
        await TrainOnAsync();
        Assert.Equal(ranks, Ranks());

        await File.WriteAllTextAsync(Path.Combine(_cluster.Work, "enough"), "", Ct);
        await AssertEachStepOnceAsync(await _cluster.WaitForSuccessAsync(Program));
        await _cluster.ApplyAsync(manifest + "\n  suspend: true\n");
        var job = await _cluster.WaitForAsync(BuiltIn, one => (string?)one["status"]?["phase"] == "Suspended", "suspension");
        Assert.Equal((long?)job["status"]!["progress"]!["step"], (long?)job["status"]!["checkpoint"]!["step"]);
        await AssertEachStepOnceAsync(job);
    }

    /// <summary>As the release after this one may have it: one more field in every job's spec and status.</summary>
    private static void Grow(JsonObject definition)
    {
        var fields = definition["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!;
        foreach (var part in new[] { "spec", "status" })
        {
            fields[part]!["properties"]![New] = new JsonObject { ["type"] = "string" };
        }
    }

    /// <summary>As a release before this one may have it: without a field that this operator writes, and one that a user may.</summary>
    private static void Shrink(JsonObject definition)
    {
        var fields = definition["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!;
        fields["status"]!["properties"]!.AsObject().Remove("placement");
        fields["spec"]!["properties"]!.AsObject().Remove("ttlSecondsAfterFinished");
    }

    /// <summary>The command line knows a field that the cluster does not know any more.</summary>
    private async Task SubmissionIsRefusedAsync(string manifest)
    {
        var path = Path.Combine(_cluster.Work, "newer.yaml");
        await File.WriteAllTextAsync(path, manifest.Replace($"name: {BuiltIn}", "name: newer", StringComparison.Ordinal) + "\n  ttlSecondsAfterFinished: 60\n", Ct);
        var refused = await _cluster.PhiAsync("submit", path, "--kubeconfig", _cluster.Kubeconfig, "--namespace", _cluster.Namespace);

        Assert.True(refused.ExitCode == 3, refused.ToString());
        Assert.Contains(".spec.ttlSecondsAfterFinished: field not declared in schema; the CustomResourceDefinitions may be of another release", refused.Error, StringComparison.Ordinal);
    }

    /// <summary>Applies a release's definitions, as its chart does.</summary>
    private async Task DefineAsync(string folder, Action<JsonObject> change)
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.yaml"))
        {
            var definition = ManifestReader.Read(await File.ReadAllTextAsync(file, Ct)).Single();
            change(definition);
            var result = await _cluster.KubectlWithInputAsync(definition.ToJsonString(), "apply", "--server-side", "--force-conflicts", "-f", "-");
            Assert.True(result.ExitCode == 0, result.ToString());
        }
    }

    /// <summary>Returns when both jobs have come ten steps further, by the status that the operator of now writes.</summary>
    private async Task TrainOnAsync()
    {
        foreach (var name in new[] { BuiltIn, Program })
        {
            var step = (long?)(await _cluster.JobAsync(name))["status"]?["progress"]?["step"] ?? 0;
            var job = await _cluster.WaitForStepAsync(name, step + 10);
            Assert.Equal(("Running", 1), ((string?)job["status"]!["phase"], (int?)job["status"]!["attempt"]));
        }
    }

    private async Task AssertEachStepOnceAsync(JsonNode job)
    {
        var (status, curve) = (job["status"]!, await Curve.ReadAsync(Path.Combine(_cluster.Home, "telemetry.db"), (string)job["metadata"]!["uid"]!, Ct));
        Assert.Equal((1, 0), ((int?)status["attempt"], (int?)status["restarts"] ?? 0));
        Assert.Equal(Enumerable.Range(1, (int)status["progress"]!["step"]!).Select(step => (1, (long)step)), curve.Select(point => (point.Attempt, point.Step)));
    }

    private async Task PatchAsync(string patch, params string[] more)
    {
        var result = await _cluster.KubectlAsync(["patch", "tj", BuiltIn, "--type=merge", "--patch", patch, .. more]);
        Assert.True(result.ExitCode == 0, result.ToString());
    }

    private async Task<(string? Wish, string? Word)> NewFieldsAsync()
    {
        var job = await _cluster.JobAsync(BuiltIn);
        return ((string?)job["spec"]![New], (string?)job["status"]![New]);
    }

    private IEnumerable<int> Ranks() => [.. TrainingProcesses.Of(_cluster.Home).Where(process => process.IsRank).Select(process => process.Id).Order()];
}
