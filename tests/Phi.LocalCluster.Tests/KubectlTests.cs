using Xunit;

namespace Phi.LocalCluster.Tests;

/// <summary>The real kubectl against the embedded server.</summary>
public sealed class KubectlTests(TestServer server) : IClassFixture<TestServer>
{
    private const string Job = """
        apiVersion: phi-orchestrator.io/v1alpha1
        kind: TrainingJob
        metadata:
          name: NAME
        spec:
          replicas: 2
          accelerator: {type: cpu, perReplica: 2}
          phi:
            data: {sources: [/data/*.txt]}
            batch: {global: 8, micro: 2}
            steps: 10
        """;

    [Fact]
    public async Task ApplyGetDescribeDelete()
    {
        var manifest = Job.Replace("NAME", "first", StringComparison.Ordinal);
        var applied = await server.KubectlAsync(manifest, "apply", "-f", "-");
        Assert.Equal("trainingjob.phi-orchestrator.io/first created\n", applied.Output + applied.Error);
        Assert.Contains("unchanged", (await server.KubectlAsync(manifest, "apply", "-f", "-")).Output, StringComparison.Ordinal);
        Assert.Contains("configured", (await server.KubectlAsync(manifest.Replace("steps: 10", "steps: 20", StringComparison.Ordinal), "apply", "-f", "-")).Output, StringComparison.Ordinal);

        var table = await server.KubectlAsync("", "get", "tj", "first", "-o", "wide");
        Assert.Contains("GOODPUT", table.Output, StringComparison.Ordinal);
        Assert.Equal("20 2", (await server.KubectlAsync("", "get", "tj", "first", "-o", "jsonpath={.spec.phi.steps} {.spec.accelerator.perReplica}")).Output);
        Assert.Contains("Max Restarts:", (await server.KubectlAsync("", "describe", "tj", "first")).Output, StringComparison.Ordinal);
        Assert.Contains("optimizer steps", (await server.KubectlAsync("", "explain", "tj.spec.phi.steps")).Output, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("deleted", (await server.KubectlAsync("", "delete", "tj", "first")).Output, StringComparison.Ordinal);
        Assert.Contains("NotFound", (await server.KubectlAsync("", "get", "tj", "first")).Error, StringComparison.Ordinal);
    }
}
