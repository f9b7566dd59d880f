using Phi.Kubernetes;
using Phi.LocalCluster.Nodes;
using Phi.LocalCluster.Scheduling;
using Xunit;

namespace Phi.LocalCluster.Tests;

/// <summary>Pods as processes: the embedded API server, its scheduler, a node, and kubectl.</summary>
public sealed class PodTests : IAsyncLifetime
{
    private readonly TestServer _server = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _scheduler = Task.CompletedTask;
    private Task _node = Task.CompletedTask;
    private KubernetesConnection? _connection;

    public async ValueTask InitializeAsync()
    {
        await _server.InitializeAsync();
        _connection = KubernetesConnection.Open(_server.Kubeconfig, "test");
        _scheduler = SchedulerHost.RunAsync(_connection, TimeProvider.System, new OutputLoggerFactory(), _stop.Token);
        _node = NodeAgentHost.RunAsync(new NodeAgentOptions { Kubeconfig = _server.Kubeconfig, Name = "node-0", Slots = 2, StateDirectory = Path.Combine(_server.Folder, "node") }, new OutputLoggerFactory(), _stop.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_scheduler, _node);
        _connection!.Dispose();
        await _server.DisposeAsync();
        _stop.Dispose();
    }

    [Fact]
    public async Task Pod_ThatPrints_SucceedsAndKeepsItsLog()
    {
        await ApplyAsync("printer", "echo hello from $POD_NAME at $POD_IP; echo to stderr >&2");

        await WaitAsync("printer", "jsonpath={.status.phase}=Succeeded");

        var ip = (await _server.KubectlAsync("", "get", "pod", "printer", "-o", "jsonpath={.status.podIP}")).Output;
        var log = await _server.KubectlAsync("", "logs", "printer");
        Assert.Contains($"hello from printer at {ip}\n", log.Output, StringComparison.Ordinal);
        Assert.Contains("to stderr\n", log.Output, StringComparison.Ordinal);
        Assert.Contains("Completed", (await _server.KubectlAsync("", "get", "pods")).Output, StringComparison.Ordinal);
        Assert.Contains("node-0", (await _server.KubectlAsync("", "get", "pods", "-o", "wide")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pod_ThatFails_ReportsItsExitCodeAndLastWords()
    {
        await ApplyAsync("failing", "echo the reason; exit 3");

        await WaitAsync("failing", "jsonpath={.status.phase}=Failed");

        var state = (await _server.KubectlAsync("", "get", "pod", "failing", "-o", "jsonpath={.status.containerStatuses[0].state.terminated.exitCode} {.status.containerStatuses[0].state.terminated.message}")).Output;
        Assert.Equal("3 the reason", state);
    }

    [Fact]
    public async Task Pod_Deleted_GetsSigtermAndGoes()
    {
        var file = Path.Combine(_server.Folder, "said");
        await ApplyAsync("waiter", $"trap 'echo got it > \"{file}\"; exit 0' TERM; echo ready; while :; do sleep 0.05; done");
        var follow = _server.KubectlAsync("", "logs", "-f", "waiter", "--pod-running-timeout=30s");
        await WaitAsync("waiter", "condition=Ready");
        await UntilAsync(async () => (await _server.KubectlAsync("", "logs", "waiter")).Output == "ready\n");

        await _server.KubectlAsync("", "delete", "pod", "waiter");

        Assert.Equal("got it\n", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        Assert.Contains("NotFound", (await _server.KubectlAsync("", "get", "pod", "waiter")).Error, StringComparison.Ordinal);
        _ = await follow;
    }

    [Fact]
    public async Task Pod_ThatAsksForMoreThanThereIs_Waits()
    {
        await ApplyAsync("greedy", "true", slots: 3);

        await WaitAsync("greedy", "condition=PodScheduled=false");

        Assert.Equal("0/1 nodes are available: 1 Insufficient phi-orchestrator.io/cpu.", (await _server.KubectlAsync("", "get", "pod", "greedy", "-o", "jsonpath={.status.conditions[?(@.type==\"PodScheduled\")].message}")).Output);
    }

    [Fact]
    public async Task Drain_EvictsThePodsOfANode()
    {
        await ApplyAsync("evicted", "trap 'exit 0' TERM; while :; do sleep 0.05; done");
        await WaitAsync("evicted", "condition=Ready");

        var drained = await _server.KubectlAsync("", "drain", "node-0", "--force");

        Assert.True(drained.Code == 0, drained.Error);
        Assert.Contains("SchedulingDisabled", (await _server.KubectlAsync("", "get", "nodes")).Output, StringComparison.Ordinal);
        Assert.Contains("NotFound", (await _server.KubectlAsync("", "get", "pod", "evicted")).Error, StringComparison.Ordinal);
    }

    private async Task ApplyAsync(string name, string script, int slots = 1)
    {
        var result = await _server.KubectlAsync($$"""
            apiVersion: v1
            kind: Pod
            metadata: { name: {{name}} }
            spec:
              restartPolicy: Never
              containers:
              - name: main
                image: none
                command: [bash, -c, {{System.Text.Json.JsonSerializer.Serialize(script)}}]
                env:
                - { name: POD_NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
                - { name: POD_IP, valueFrom: { fieldRef: { fieldPath: status.podIP } } }
                resources: { limits: { phi-orchestrator.io/cpu: {{slots}} } }
            """, "apply", "-f", "-");
        Assert.True(result.Code == 0, result.Error);
    }

    private async Task WaitAsync(string pod, string condition)
    {
        var result = await _server.KubectlAsync("", "wait", $"pod/{pod}", $"--for={condition}", "--timeout=60s");
        Assert.True(result.Code == 0, result.Error + (await _server.KubectlAsync("", "get", "pod", pod, "-o", "yaml")).Output);
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        while (!await condition())
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        }
    }
}
