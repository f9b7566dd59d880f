using System.Diagnostics;
using System.Text.Json.Nodes;
using Phi.Chaos;

namespace Phi.EndToEnd.Tests;

/// <summary>A Python program that knows nothing of this product but a file, to which it appends its steps.</summary>
public sealed class ContainerProgressTests : IAsyncLifetime
{
    private PhiCluster _cluster = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Database => Path.Combine(_cluster.Home, "telemetry.db");

    public async ValueTask InitializeAsync() => _cluster = await PhiCluster.StartAsync();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Curve_OfAProgramThatIsKilledAndWhoseSidecarIsToo_HasEveryStepOfBothAttempts()
    {
        await _cluster.ApplyAsync($$"""
            apiVersion: phi-orchestrator.io/v1alpha1
            kind: TrainingJob
            metadata: {name: script}
            spec:
              replicas: 2
              accelerator: {type: cpu, perReplica: 1}
              template: {env: [{name: WORK, value: "{{_cluster.Work}}"}]}
              container: {image: "python:3", command: [python3, "{{Path.Combine(AppContext.BaseDirectory, "train.py")}}"]}
              recovery: {backoff: 100ms}
            """);
        var job = await _cluster.WaitForStepAsync("script", 10);
        var run = (string)job["metadata"]!["uid"]!;
        Kill("script-0", "train.py");

        await _cluster.WaitForAsync("script", one => (int?)one["status"]?["attempt"] == 2 && (long?)one["status"]!["progress"]!["step"] >= 15, "step 15 of a second attempt");
        await UntilAsync(() => Task.FromResult(IsKept(15)), "position of step 15 beside the file");
        var before = await Curve.ReadAsync(Database, run, Ct);
        Kill("script-a2-0", "progress");
        await UntilAsync(async () => Sidecar(await PodAsync("script-a2-0")) is { } state && (int?)state["restartCount"] >= 1 && state["state"]?["running"] is not null, "second start of the sidecar");
        await UntilAsync(async () => (await LogAsync()).Split("reporting what").Length > 2, "words of the second start");
        await File.WriteAllTextAsync(Path.Combine(_cluster.Work, "go"), "", Ct);
        job = await _cluster.WaitForSuccessAsync("script");

        var curve = await Curve.ReadAsync(Database, run, Ct);
        Assert.Equal([.. Steps(1, 10).Select(step => (1, step)), .. Steps(9, 20).Select(step => (2, step))], curve.Select(point => (point.Attempt, point.Step)));
        Assert.Equal(before, curve.Take(before.Count));
        var weight = 0.0;
        var expected = Steps(1, 20).Select(_ => (Error: weight - 3, weight -= 0.2 * (weight - 3)).Error).Select(error => error * error);
        Assert.Equal(expected, Curve.Effective(curve).Values);
        Assert.Equal([1, 2], (await Curve.RanksAsync(Database, run, Ct)).OrderBy(pair => pair.Key).Select(pair => (pair.Key, Assert.Single(pair.Value)).Key));
        var status = job["status"]!;
        Assert.Equal((20, 2000, 1, 20), ((long)status["progress"]!["step"]!, (long)status["progress"]!["tokens"]!, (int)status["restarts"]!, (long)status["checkpoint"]!["step"]!));
        Assert.Contains("line 1 is skipped", await LogAsync(), StringComparison.Ordinal);
    }

    [Fact(Skip = PhiCluster.NeedsOwnControlPlane, SkipType = typeof(PhiCluster), SkipWhen = nameof(PhiCluster.IsJoined))]
    public async Task Run_OfTheSample_EndsWithItsLastStep()
    {
        var result = await _cluster.PhiAsync("run", Path.Combine(Repository.Root, "operators", "samples", "container.yaml"), "--output", "json");

        Assert.True(result.ExitCode == 0, result.ToString());
        var summary = JsonNode.Parse(result.Output)!;
        Assert.Equal(("Succeeded", 10, 0.1), ((string)summary["state"]!, (int)summary["steps"]!, (double)summary["finalLoss"]!));
    }

    private static IEnumerable<long> Steps(int first, int last) => Enumerable.Range(first, last - first + 1).Select(step => (long)step);

    private static void Kill(string pod, string argument)
    {
        var process = Assert.Single(ProcessTable.All(), one => one.Environment.Contains($"PHI_POD_NAME={pod}") && one.Arguments.Any(given => given.EndsWith(argument, StringComparison.Ordinal)));
        Process.GetProcessById(process.Id).Kill();
    }

    private async Task<string> LogAsync() => (await _cluster.KubectlAsync("logs", "script-a2-0", "-c", "phi-progress")).Output;

    private static JsonNode? Sidecar(JsonNode pod) => pod["status"]?["initContainerStatuses"]?[0];

    private async Task<JsonNode> PodAsync(string name)
    {
        var result = await _cluster.KubectlAsync("get", "pod", name, "-o", "json");
        Assert.True(result.ExitCode == 0, result.ToString());
        return JsonNode.Parse(result.Output)!;
    }

    private bool IsKept(long step) => Directory.EnumerateFiles(_cluster.Home, "progress.jsonl.position", SearchOption.AllDirectories).Any(file => File.ReadAllText(file).Contains($"\"step\":{step},", StringComparison.Ordinal));

    private async Task UntilAsync(Func<Task<bool>> isSo, string what)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        while (!await isSo())
        {
            Assert.False(deadline.IsCancellationRequested, deadline.IsCancellationRequested ? $"no {what}\n{await _cluster.EvidenceAsync()}" : "");
            await Task.Yield();
        }
    }
}
