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

    /// <summary>kubectl sends these in protobuf.</summary>
    [Fact]
    public async Task CreateCommands_OfBuiltInKinds_Work()
    {
        foreach (var command in new[] { "create namespace team", "create configmap map --from-literal=a=b -n team", "create secret generic hidden --from-literal=p=q -n team", "create serviceaccount robot -n team", "create priorityclass high --value=1000", "create service clusterip web --tcp=80:8080 -n team" })
        {
            var created = await server.KubectlAsync("", command.Split(' '));
            Assert.True(created.Code == 0, $"{command}: {created.Error}");
        }

        Assert.Equal("b cQ== 1000 8080", string.Join(' ',
            (await server.KubectlAsync("", "get", "configmap", "map", "-n", "team", "-o", "jsonpath={.data.a}")).Output,
            (await server.KubectlAsync("", "get", "secret", "hidden", "-n", "team", "-o", "jsonpath={.data.p}")).Output,
            (await server.KubectlAsync("", "get", "priorityclass", "high", "-o", "jsonpath={.value}")).Output,
            (await server.KubectlAsync("", "get", "service", "web", "-n", "team", "-o", "jsonpath={.spec.ports[0].targetPort}")).Output));
        Assert.Equal("yes\n", (await server.KubectlAsync("", "auth", "can-i", "create", "tj")).Output);
    }

    [Theory]
    [InlineData("label cm patched x=y", "{.metadata.labels.x}", "y")]
    [InlineData("annotate cm patched q=z", "{.metadata.annotations.q}", "z")]
    [InlineData("patch cm patched --type=json -p [{\"op\":\"add\",\"path\":\"/data\",\"value\":{\"k\":\"v\"}}]", "{.data.k}", "v")]
    [InlineData("patch cm patched --type=merge -p {\"data\":{\"m\":\"n\"}}", "{.data.m}", "n")]
    [InlineData("patch cm patched -p {\"metadata\":{\"labels\":{\"s\":\"t\"}}}", "{.metadata.labels.s}", "t")]
    public async Task PatchCommands_ChangeWhatTheySay(string command, string path, string expected)
    {
        await server.KubectlAsync("", "create", "configmap", "patched");

        var done = await server.KubectlAsync("", command.Split(' '));

        Assert.True(done.Code == 0, done.Error);
        Assert.Equal(expected, (await server.KubectlAsync("", "get", "cm", "patched", "-o", $"jsonpath={path}")).Output);
    }
}
