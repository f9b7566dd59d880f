using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Phi.Kubernetes;
using Phi.LocalCluster.ApiServer;
using Phi.LocalCluster.Scheduling;
using Phi.Postgres;

namespace Phi.Chart.Tests;

/// <summary>An embedded control plane without anything of this product in it, a node of this machine, and a PostgreSQL server for the chart.</summary>
public sealed class ChartCluster : IAsyncLifetime
{
    internal const string AdminToken = "chart-admin-token";
    private readonly CancellationTokenSource _stop = new();

    /// <summary>On PostgreSQL's own port, which the folder's socket is named by too; of an address of the loopback network that nobody else has.</summary>
    private readonly IPAddress _address = FreeEndPoint.Next().Address;
    private ApiServerHost? _server;
    private KubernetesConnection? _connection;
    private PostgresServer? _postgres;
    private PhiProcess? _node;
    private Task _scheduler = Task.CompletedTask;

    /// <summary>Not below /tmp, where pods of the chart mount a volume.</summary>
    public string Folder { get; } = Directory.CreateDirectory($"/var/tmp/phi-chart-{Guid.NewGuid():N}").FullName;

    public string Kubeconfig => Path.Combine(Folder, "kubeconfig");

    public async ValueTask InitializeAsync()
    {
        _postgres = new PostgresServer("fsync=off", $"listen_addresses={_address}");
        _server = await ApiServerHost.StartAsync(new ApiServerOptions { DataDirectory = Path.Combine(Folder, "data"), AdminToken = AdminToken, KubeconfigPath = Kubeconfig }, TestContext.Current.CancellationToken);
        _connection = KubernetesConnection.Open(Kubeconfig, "test");
        _scheduler = SchedulerHost.RunAsync(_connection, TimeProvider.System, NullLoggerFactory.Instance, _stop.Token);
        // Pods of the chart have a /tmp of their own, and the checkout may lie in the machine's.
        var programs = Path.Combine(Folder, "programs");
        (await CommandResult.RunAsync("cp", ["-r", PhiProcess.CliFolder, programs])).Ok();
        _node = new PhiProcess(new Dictionary<string, string> { ["PATH"] = $"{programs}:{Environment.GetEnvironmentVariable("PATH")}" }, "node", "--kubeconfig", Kubeconfig, "--name", "node-0", "--slots", "4", "--home", Path.Combine(Folder, "home"));
        await UntilAsync(async () => (await KubectlAsync("wait", "--for=condition=Ready", "node/node-0", "--timeout=10s")).ExitCode == 0, () => $"no ready node: {_node.Said}");
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null)
        {
            await _node.DisposeAsync();
        }

        await _stop.CancelAsync();
        await _scheduler.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _connection?.Dispose();
        await (_server?.DisposeAsync() ?? ValueTask.CompletedTask);
        _postgres?.Dispose();
        _stop.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>A new database, as the chart's values name it.</summary>
    internal string CreateDatabase() => $"postgresql://phi@{_address}/{_postgres!.CreateDatabase().Split(';').Select(part => part.Split('=')).First(part => part[0] == "Database")[1]}";

    internal Task<CommandResult> KubectlAsync(params string[] arguments) => KubectlWithInputAsync(null, arguments);

    internal Task<CommandResult> KubectlWithInputAsync(string? input, params string[] arguments) =>
        CommandResult.RunAsync(HelmChart.Kubectl, ["--kubeconfig", Kubeconfig, "--cache-dir", Path.Combine(Folder, "kubectl"), .. arguments], input);

    /// <summary>helm, with nothing of the user's.</summary>
    internal Task<CommandResult> HelmAsync(params string[] arguments) => CommandResult.RunAsync(
        HelmChart.Program,
        [.. arguments, "--kubeconfig", Kubeconfig, "--namespace", HelmChart.Namespace],
        environment: new Dictionary<string, string> { ["HELM_CACHE_HOME"] = Path.Combine(Folder, "helm"), ["HELM_CONFIG_HOME"] = Path.Combine(Folder, "helm"), ["HELM_DATA_HOME"] = Path.Combine(Folder, "helm") });

    /// <summary>One object of the release's namespace.</summary>
    internal async Task<JsonNode> GetAsync(string kind, string name) => JsonNode.Parse((await KubectlAsync("get", kind, name, "--namespace", HelmChart.Namespace, "-o", "json")).Ok().Output)!;

    /// <summary>Asks again until it is so.</summary>
    internal static async Task UntilAsync(Func<Task<bool>> isSo, Func<string> why)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        while (!await isSo())
        {
            Assert.False(deadline.IsCancellationRequested, deadline.IsCancellationRequested ? why() : "");
            await Task.Yield();
        }
    }
}
