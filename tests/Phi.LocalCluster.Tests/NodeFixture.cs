using System.Text.Json.Nodes;
using Phi.Kubernetes;
using Phi.LocalCluster.Nodes;
using Phi.LocalCluster.Scheduling;

namespace Phi.LocalCluster.Tests;

/// <summary>An embedded API server with its scheduler and one node of many slots, for tests that use pods of their own names.</summary>
public sealed class NodeFixture : IAsyncLifetime
{
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private KubernetesConnection? _connection;

    public TestServer Server { get; } = new();

    public async ValueTask InitializeAsync()
    {
        await Server.InitializeAsync();
        _connection = KubernetesConnection.Open(Server.Kubeconfig, "test");
        _running = Task.WhenAll(
            SchedulerHost.RunAsync(_connection, TimeProvider.System, new OutputLoggerFactory(), _stop.Token),
            NodeAgentHost.RunAsync(new NodeAgentOptions { Kubeconfig = Server.Kubeconfig, Name = "node-0", Slots = 100, StateDirectory = Path.Combine(Server.Folder, "node"), VolumeVariables = [new VolumeVariable("told", "TOLD")] }, new OutputLoggerFactory(), _stop.Token));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _connection!.Dispose();
        await Server.DisposeAsync();
        _stop.Dispose();
    }

    public async Task ApplyAsync(string manifest)
    {
        var result = await Server.KubectlAsync(manifest, "apply", "-f", "-");
        Assert.True(result.Code == 0, result.Error);
    }

    /// <summary>Waits for what kubectl wait can wait for; the pod as it is then.</summary>
    public async Task<JsonObject> WaitAsync(string pod, string condition)
    {
        var result = await Server.KubectlAsync("", "wait", $"pod/{pod}", $"--for={condition}", "--timeout=60s");
        Assert.True(result.Code == 0, result.Error + (await Server.KubectlAsync("", "get", "pod", pod, "-o", "yaml")).Output);
        return (await Server.SendAsync(HttpMethod.Get, $"/api/v1/namespaces/default/pods/{pod}")).Body;
    }

    public async Task<string> LogAsync(string pod) => (await Server.KubectlAsync("", "logs", pod, "-c", "main")).Output;

    /// <summary>Asks again until it is so.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        while (!await condition())
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        }
    }
}
