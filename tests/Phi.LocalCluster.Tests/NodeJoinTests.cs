using System.Text.Json.Nodes;
using k8s.Models;
using Phi.LocalCluster.Nodes;

namespace Phi.LocalCluster.Tests;

/// <summary>What a node agent writes of its node, and what it leaves to others.</summary>
public sealed class NodeJoinTests(TestServer server) : IClassFixture<TestServer>
{
    [Fact]
    public async Task Join_AgainAfterAnAdministratorsChanges_KeepsThem()
    {
        var options = Options("kept") with { Taints = [new V1Taint { Key = "new", Effect = "NoSchedule" }] };
        await RunUntilReadyAsync(options);
        Assert.Equal(["new"], AdministratorsTaints(await NodeAsync("kept")));
        foreach (var change in new[] { "cordon kept", "patch node kept --type=merge -p {\"spec\":{\"taints\":[{\"key\":\"other\",\"value\":\"x\",\"effect\":\"NoExecute\"}]}}", "label node kept team=blue" })
        {
            var done = await server.KubectlAsync("", change.Split(' '));
            Assert.True(done.Code == 0, done.Error);
        }

        await RunUntilReadyAsync(options with { Labels = new Dictionary<string, string> { ["topology.kubernetes.io/rack"] = "r1" } });

        var node = await NodeAsync("kept");
        Assert.True((bool)node["spec"]!["unschedulable"]!);
        Assert.Equal(["other"], AdministratorsTaints(node));
        Assert.Equal(("blue", "r1"), ((string?)node["metadata"]!["labels"]!["team"], (string?)node["metadata"]!["labels"]!["topology.kubernetes.io/rack"]));
    }

    [Fact]
    public async Task Join_WithGpusThatAreNotThere_IsASimulatedNodeWithoutCpuSlots()
    {
        await RunUntilReadyAsync(Options("gpus"));

        await RunUntilReadyAsync(Options("gpus") with { Gpus = 64, GpuProduct = "NVIDIA-A100" });

        var node = await NodeAsync("gpus");
        var labels = node["metadata"]!["labels"]!;
        Assert.Equal(("NVIDIA-A100", "nvidia-a100", "true"), ((string?)labels["nvidia.com/gpu.product"], (string?)labels["phi-orchestrator.io/accelerator-type"], (string?)labels["phi-orchestrator.io/simulated"]));
        foreach (var amounts in new[] { node["status"]!["capacity"]!, node["status"]!["allocatable"]! })
        {
            Assert.Equal("64", (string?)amounts["nvidia.com/gpu"]);
            Assert.Null(amounts["phi-orchestrator.io/cpu"]);
            Assert.True(new ResourceQuantity((string)amounts["memory"]!).ToDecimal() > 0 && new ResourceQuantity((string)amounts["cpu"]!).ToDecimal() > 0);
        }
    }

    [Fact]
    public async Task Join_UnderANameThatAnotherAgentServes_IsRefusedAndLeavesItReady()
    {
        using var stop = new CancellationTokenSource();
        var first = NodeAgentHost.RunAsync(Options("taken"), new OutputLoggerFactory(), stop.Token);
        await UntilReadyAsync("taken");

        var refusal = await Assert.ThrowsAsync<NodeException>(() => NodeAgentHost.RunAsync(Options("taken") with { StateDirectory = Path.Combine(server.Folder, "other") }, new OutputLoggerFactory(), TestContext.Current.CancellationToken));

        Assert.Contains("node taken is taken", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("True", Condition(await NodeAsync("taken"), "Ready"));
        await stop.CancelAsync();
        await first;
    }

    [Theory]
    [InlineData(1L << 40, 1L << 40, 30000, "False False False")]
    [InlineData(1L << 20, 1L << 40, 30000, "True False False")]
    [InlineData(1L << 40, 1L << 20, 30000, "False True False")]
    [InlineData(1L << 40, 1L << 40, 10, "False False True")]
    public void Conditions_OfAMachine_SayWhatIsShort(long memory, long disk, long ids, string expected)
    {
        var since = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        var conditions = NodeConditions.Of(true, new MachineLoad(memory, disk, ids), [new V1NodeCondition { Type = "Ready", Status = "True", LastTransitionTime = since }, new V1NodeCondition { Type = "MemoryPressure", Status = "Unknown", LastTransitionTime = since }], new DateTimeOffset(since.AddHours(1)));

        Assert.Equal(expected, string.Join(' ', conditions.Take(3).Select(condition => (string)condition!["status"]!)));
        Assert.Equal("2026-01-01T00:00:00Z", (string)conditions[3]!["lastTransitionTime"]!);
        Assert.Equal("2026-01-01T01:00:00Z", (string)conditions[0]!["lastTransitionTime"]!);
    }

    private NodeAgentOptions Options(string name) => new() { Kubeconfig = server.Kubeconfig, Name = name, Slots = 4, StateDirectory = Path.Combine(server.Folder, "nodes", name) };

    private async Task RunUntilReadyAsync(NodeAgentOptions options)
    {
        using var stop = new CancellationTokenSource();
        var running = NodeAgentHost.RunAsync(options, new OutputLoggerFactory(), stop.Token);
        await UntilReadyAsync(options.Name);
        await stop.CancelAsync();
        await running;
        Assert.Equal("False", Condition(await NodeAsync(options.Name), "Ready"));
    }

    private async Task UntilReadyAsync(string name)
    {
        while (Condition(await NodeAsync(name), "Ready") != "True")
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        }
    }

    private async Task<JsonObject> NodeAsync(string name) => (await server.SendAsync(HttpMethod.Get, $"/api/v1/nodes/{name}")).Body;

    /// <summary>Without those that the API server keeps of a node whose agent has left.</summary>
    private static IEnumerable<string> AdministratorsTaints(JsonObject node) =>
        node["spec"]!["taints"]!.AsArray().Select(taint => (string)taint!["key"]!).Where(key => !key.StartsWith("node.kubernetes.io/", StringComparison.Ordinal));

    private static string? Condition(JsonObject node, string type) =>
        (node["status"] as JsonObject)?["conditions"]?.AsArray().FirstOrDefault(condition => (string?)condition!["type"] == type)?["status"]?.ToString();
}
