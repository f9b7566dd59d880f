using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Phi.Chart.Tests;

/// <summary>An installed release for one namespace, whose operator and dashboard have the chart's rights and no other, and train.</summary>
public sealed partial class LeastPrivilegeTests(ChartCluster cluster) : IClassFixture<ChartCluster>
{
    private const string Team = "research";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Release_WithItsOwnRights_TrainsAndShows()
    {
        (await cluster.KubectlAsync("create", "namespace", Team)).Ok();
        (await cluster.HelmAsync("install", "phi", HelmChart.Folder, "--create-namespace", "--set", $"namespaces={{{Team}}}", "--set", $"telemetry.url={cluster.CreateDatabase()}", "--set", "dashboard.token.value=secret", "--timeout", "3m")).Ok();
        (await cluster.KubectlWithInputAsync(Manifests(Corpus()).Split("---")[1].Replace($"namespace: {Team}", "namespace: default", StringComparison.Ordinal), "apply", "-f", "-")).Ok();
        var address = Path.Combine(cluster.Folder, "dashboard.url");
        await using var manager = await ServiceAccountProcess.StartAsync(cluster, "operator", "--state", Path.Combine(cluster.Folder, "operator"), "--health-port", "0");
        await using var dashboard = await ServiceAccountProcess.StartAsync(cluster, "dashboard", "--address-file", address);

        (await cluster.KubectlWithInputAsync(Manifests(Corpus()), "apply", "-f", "-")).Ok();
        foreach (var job in new[] { "tiny", "script" })
        {
            await ChartCluster.UntilAsync(async () => (string?)(await JobAsync(job))?["status"]?["phase"] is "Succeeded" or "Failed", () => manager.Said);
            Assert.True((string?)(await JobAsync(job))!["status"]!["phase"] == "Succeeded", $"{await JobAsync(job)}\n{manager.Said}");
        }

        // Its queue's status, its events and its end are writes too.
        await ChartCluster.UntilAsync(async () => (await cluster.KubectlAsync("get", "tq", "team", "-o", "jsonpath={.status}")).Output.Length > 2, () => manager.Said);
        await ChartCluster.UntilAsync(async () => (await cluster.KubectlAsync("get", "events", "--namespace", Team, "--field-selector", "involvedObject.name=tiny", "-o", "jsonpath={.items[*].reason}")).Output.Length > 0, () => manager.Said);
        await ShowsAsync(dashboard, address);
        Assert.Equal("", (await cluster.KubectlAsync("get", "tj", "tiny", "--namespace", "default", "-o", "jsonpath={.status}")).Ok().Output);
        (await cluster.KubectlAsync("delete", "tj", "--all", "--namespace", Team, "--wait=true", "--timeout=120s")).Ok();
        await RefusedNothingAsync(manager);
    }

    private async Task<JsonNode?> JobAsync(string name) => await cluster.KubectlAsync("get", "tj", name, "--namespace", Team, "-o", "json") is { ExitCode: 0 } shown ? JsonNode.Parse(shown.Output) : null;

    /// <summary>The sign-in page, a run's telemetry and a rank's log.</summary>
    private async Task ShowsAsync(PhiProcess dashboard, string address)
    {
        await ChartCluster.UntilAsync(() => Task.FromResult(dashboard.HasEnded || File.Exists(address)), () => dashboard.Said);
        Assert.False(dashboard.HasEnded, dashboard.Said);
        using var http = new HttpClient { BaseAddress = new Uri((await File.ReadAllTextAsync(address, Ct)).Trim()) };
        Assert.Contains("token", await http.GetStringAsync("/sign-in", Ct), StringComparison.Ordinal);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "secret");
        var pod = (await cluster.KubectlAsync("get", "pods", "--namespace", Team, "-l", "phi-orchestrator.io/job-name=script", "-o", "jsonpath={.items[0].metadata.name}")).Ok().Output;

        Assert.Contains("\"tiny\"", await http.GetStringAsync("/api/v1/runs", Ct), StringComparison.Ordinal);
        Assert.Contains("zero_optimization", await http.GetStringAsync($"/api/v1/logs/{Team}/{pod}", Ct), StringComparison.Ordinal);
        Assert.Equal("Opaque", (string?)(await cluster.GetAsync("secret", "phi-dashboard-keys"))["type"]);
    }

    private static async Task RefusedNothingAsync(PhiProcess manager)
    {
        using var http = new HttpClient();
        var metrics = await http.GetStringAsync(new Uri(new Uri(HealthAddress().Match(manager.Said).Groups["url"].Value), "/metrics"), Ct);

        Assert.Contains("phi_leader 1", metrics, StringComparison.Ordinal);
        Assert.Contains("phi_jobs_finished_total{phase=\"Succeeded\"} 2", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("code=\"403\"", metrics, StringComparison.Ordinal);
    }

    private string Corpus()
    {
        var folder = Directory.CreateDirectory(Path.Combine(cluster.Folder, "corpus")).FullName;
        File.WriteAllText(Path.Combine(folder, "text.txt"), string.Join(' ', Enumerable.Range(0, 20_000).Select(i => (i * 7 + i / 11) % 13)));
        return folder;
    }

    /// <summary>A job in a queue, and a program that shows its DeepSpeed configuration, which comes as a ConfigMap.</summary>
    private static string Manifests(string corpus) => $$"""
        apiVersion: phi-orchestrator.io/v1alpha1
        kind: TrainingQueue
        metadata: {name: team}
        spec: {quotas: [{acceleratorType: cpu, nominal: 4}]}
        ---
        apiVersion: phi-orchestrator.io/v1alpha1
        kind: TrainingJob
        metadata: {name: tiny, namespace: {{Team}}}
        spec:
          queue: team
          replicas: 1
          accelerator: {type: cpu, perReplica: 2}
          phi:
            model: {layers: 1, hiddenSize: 32, heads: 2, rotaryDim: 8, mlpSize: 64, vocabularySize: 257, sequenceLength: 64}
            data: {sources: ["{{corpus}}/*.txt"]}
            batch: {global: 4, micro: 1}
            steps: 10
          checkpoint: {everySteps: 5}
        ---
        apiVersion: phi-orchestrator.io/v1alpha1
        kind: TrainingJob
        metadata: {name: script, namespace: {{Team}}}
        spec:
          replicas: 1
          accelerator: {type: cpu, perReplica: 1}
          container: {image: none, command: [bash, -c, "cat $PHI_DEEPSPEED_CONFIG"]}
          zero: {stage: 3}
        """;

    [GeneratedRegex(@"Health and metrics are at (?<url>http://\S+?)\.?(\s|$)")]
    private static partial Regex HealthAddress();
}
