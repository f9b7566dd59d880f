using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Phi.Api.Crds;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.LocalCluster.ApiServer;
using Phi.LocalCluster.Scheduling;

namespace Phi.Operator.Tests.Cluster;

/// <summary>The embedded API server and its scheduler in this process, with two nodes that a <see cref="FakeNode"/> stands for.</summary>
public sealed class TestCluster : IAsyncLifetime
{
    /// <summary>No agent renews the nodes' leases: without this they are lost after 40 s, however little of the test is done.</summary>
    internal static readonly TimeSpan NodesForEver = TimeSpan.FromDays(1);

    private readonly CancellationTokenSource _stop = new();
    private ApiServerHost? _host;
    private KubernetesConnection? _connection;
    private Task _scheduler = Task.CompletedTask;

    public string Folder { get; } = Directory.CreateTempSubdirectory("phi-operator-").FullName;

    public string Kubeconfig => Path.Combine(Folder, "kubeconfig");

    /// <summary>The test's own, without faults.</summary>
    public KubernetesConnection Connection => _connection!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _host = await ApiServerHost.StartAsync(new ApiServerOptions { DataDirectory = Path.Combine(Folder, "data"), AdminToken = "test", KubeconfigPath = Kubeconfig, CrdManifests = CrdCatalog.All, NodeMonitorGracePeriod = NodesForEver }, Ct);
        _connection = KubernetesConnection.Open(Kubeconfig, "test");
        _scheduler = SchedulerHost.RunAsync(_connection, TimeProvider.System, NullLoggerFactory.Instance, _stop.Token);
        foreach (var name in new[] { "node-0", "node-1" })
        {
            await AddNodeAsync(name);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _scheduler.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _connection?.Dispose();
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        _stop.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>Options of an operator with a state folder of its own and the shared store.</summary>
    internal OperatorOptions Options(string name, bool leaderElect, int? healthPort = null) => new()
    {
        Kubeconfig = Kubeconfig,
        StateDirectory = Path.Combine(Folder, name),
        TelemetryDatabase = Path.Combine(Folder, "telemetry.db"),
        LeaderElect = leaderElect,
        Identity = name,
        HealthPort = healthPort,
    };

    /// <summary>The spec of a gang of two pods of one rank each.</summary>
    public static JsonObject TwoPods() => JsonNode.Parse("""
        {
          "replicas": 2, "accelerator": {"type": "cpu", "perReplica": 1},
          "phi": {"model": {"preset": "phi-tiny"}, "data": {"sources": ["/srv/text"], "tokenizer": {"bytes": {}}}, "batch": {"global": 4, "micro": 2}, "steps": 10},
          "recovery": {"maxRestarts": 3, "backoff": "10ms"}
        }
        """)!.AsObject();

    public async Task<TrainingJob> SubmitAsync(string name) => await Connection.TrainingJobs().ApplyAsync("default", name, new JsonObject
    {
        ["apiVersion"] = PhiNames.ApiVersion,
        ["kind"] = "TrainingJob",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = TwoPods(),
    }, "test", null, Ct);

    public async Task<TrainingJob?> JobAsync(string name) => await Connection.TrainingJobs().GetAsync("default", name, Ct);

    /// <summary>Waits until the job is as wanted.</summary>
    public async Task<TrainingJob> UntilAsync(string name, Func<TrainingJob, bool> isWanted)
    {
        while (true)
        {
            if (await JobAsync(name) is { } job && isWanted(job))
            {
                return job;
            }

            await Task.Delay(20, Ct);
        }
    }

    private async Task AddNodeAsync(string name)
    {
        await Connection.Nodes().ApplyAsync("", name, new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Node",
            ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = new JsonObject { [PhiNames.HostnameLabel] = name, [PhiNames.AcceleratorTypeLabel] = "cpu" } },
        }, "test", null, Ct);
        await Connection.Nodes().StrategicPatchAsync("", name, new JsonObject
        {
            ["status"] = new JsonObject
            {
                ["capacity"] = new JsonObject { [PhiNames.CpuSlotResource] = "1", ["pods"] = "110" },
                ["allocatable"] = new JsonObject { [PhiNames.CpuSlotResource] = "1", ["pods"] = "110" },
                ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "True" }),
            },
        }, "test", "status", Ct);
    }
}
