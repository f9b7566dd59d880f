using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Phi.Api.Crds;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.LocalCluster.ApiServer;
using Phi.LocalCluster.Scheduling;
using Phi.Operator.AgentApi;
using Phi.Operator.Events;
using Phi.Operator.Execute;
using Phi.Operator.Metrics;
using Phi.Operator.Observe;
using Phi.Operator.Queues;
using Phi.Operator.Story;
using Phi.Operator.Tests.Cluster;
using Phi.Reconcile;
using Phi.Reconcile.Decisions;
using Phi.Telemetry.Store;
using Xunit;

namespace Phi.Operator.Tests;

/// <summary>The operator's observing, deciding and executing, step by step, against an embedded API server and its scheduler; its clock stands still.</summary>
public sealed class PlacementBed : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("phi placement ").FullName;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _changed = new(0);
    private readonly List<Task> _loops = [];
    private ApiServerHost? _server;

    internal FakeTimeProvider Clock { get; } = new(DateTimeOffset.UtcNow);
    internal KubernetesConnection Connection { get; private set; } = null!;
    internal ClusterCache Cluster { get; private set; } = null!;
    internal AgentHub Hub { get; private set; } = null!;
    internal AgentTokens Tokens => AgentTokens.LoadOrCreate(_folder);
    internal Observer Observer { get; private set; } = null!;
    internal Executor Executor { get; private set; } = null!;

    private TelemetryStore? _store;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var kubeconfig = Path.Combine(_folder, "kubeconfig");
        _server = await ApiServerHost.StartAsync(new ApiServerOptions { DataDirectory = Path.Combine(_folder, "data"), AdminToken = "token", KubeconfigPath = kubeconfig, CrdManifests = CrdCatalog.All, NodeMonitorGracePeriod = TestCluster.NodesForEver }, Ct);
        Connection = KubernetesConnection.Open(kubeconfig, "test");
        Cluster = new ClusterCache(Connection, TimeProvider.System, NullLoggerFactory.Instance);
        Hub = new AgentHub(Cluster, Clock);
        Observer = new Observer(Cluster, Hub, new QueueManager(Connection, Cluster.Synced, true, Clock, NullLoggerFactory.Instance), JobReconciler.Decide, Clock);
        var metrics = new OperatorMetrics();
        _store = await TelemetryStore.OpenAsync(Path.Combine(_folder, "telemetry.db"), Clock, Ct);
        Executor = new Executor(
            Connection, Cluster, new EventRecorder(new EventWriter(Connection, "test"), metrics, Clock, NullLogger.Instance), new StoryWriter(_store, Clock, NullLogger.Instance), metrics, Clock, () => new OperatorAddress("https://127.0.0.1:1", ""));
        _loops.Add(Cluster.RunAsync(_ => _changed.Release(), _ => { }, _stop.Token));
        await Cluster.Synced.WaitAsync(Ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _store!.DisposeAsync();
        Connection.Dispose();
        await _server!.DisposeAsync();
        _stop.Dispose();
        _changed.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    internal void StartScheduler() => _loops.Add(SchedulerHost.RunAsync(Connection, TimeProvider.System, NullLoggerFactory.Instance, _stop.Token));

    internal async Task AddNodeAsync(string name, int slots, string memory = "8Gi", params (string Name, string Value)[] labels)
    {
        var all = new JsonObject { [PhiNames.HostnameLabel] = $"host-of-{name}", [PhiNames.AcceleratorTypeLabel] = "cpu" };
        foreach (var (label, value) in labels)
        {
            all[label] = value;
        }

        await Connection.Nodes().ApplyAsync("", name, new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Node", ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = all } }, "test", null, Ct);
        var status = new JsonObject
        {
            ["allocatable"] = new JsonObject { ["cpu"] = "8", ["memory"] = memory, ["pods"] = "110", [PhiNames.CpuSlotResource] = $"{slots}" },
            ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "True" }),
        };
        await Connection.Nodes().StrategicPatchAsync("", name, new JsonObject { ["status"] = status }, "test", "status", Ct);
        var any = TrainingJobDefaults.Apply(new TrainingJob { Metadata = new ObjectMeta { Name = "any", Namespace = "default", Uid = "any" } });
        await UntilAsync(() => Cluster.Nodes(any, [], isPlacing: true).Any(node => node.Name == name && node is { IsReady: true, Free: > 0 }));
    }

    internal Task TaintAsync(string node) => Connection.Nodes().MergePatchAsync("", node, new JsonObject
    {
        ["spec"] = new JsonObject { ["taints"] = new JsonArray(new JsonObject { ["key"] = "broken", ["effect"] = "NoSchedule" }) },
    }, "test", null, Ct);

    internal async Task<ResourceKey> AddJobAsync(string name, int replicas, Action<TrainingJob>? change = null)
    {
        var job = new TrainingJob
        {
            Metadata = new ObjectMeta { Name = name, Namespace = "default" },
            Spec = new TrainingJobSpec { Replicas = replicas, Accelerator = new AcceleratorSpec { Type = "cpu", PerReplica = 2 }, Phi = new PhiSpec { Steps = 10, Data = new DataSpec { Sources = ["/x"], Tokenizer = new TokenizerSpec { Bytes = new() } } } },
        };
        change?.Invoke(job);
        await Connection.TrainingJobs().CreateAsync("default", job, "test", Ct);
        var key = new ResourceKey("default", name);
        await UntilAsync(() => Cluster.Job(key) is not null);
        return key;
    }

    internal JobDecision Decide(ResourceKey key) => Observer.Decide(Cluster.Job(key)!).Decision;

    internal async Task<JobDecision> StepAsync(ResourceKey key)
    {
        var (snapshot, decision) = Observer.Decide(Cluster.Job(key)!);
        await Executor.ExecuteAsync(Cluster.Job(key)!, snapshot.Job, decision, Ct);
        return decision;
    }

    /// <summary>Reconciles until a reason comes up; between two that say the same it waits for a change.</summary>
    internal async Task<JobDecision> StepsUntilAsync(ResourceKey key, string reason)
    {
        for (JobDecision? last = null; ;)
        {
            var decision = await StepAsync(key);
            if (decision.Reason == reason)
            {
                return decision;
            }

            if (decision.Message == last?.Message)
            {
                await _changed.WaitAsync(Ct);
            }

            last = decision;
        }
    }

    internal async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            // Nodes wake nobody who does not wait for them.
            await _changed.WaitAsync(TimeSpan.FromMilliseconds(20), Ct);
        }
    }

    /// <summary>As a node would report it.</summary>
    internal async Task SetRunningAsync(V1Pod pod, string ip) => Cluster.Remember(await Connection.Pods().StrategicPatchAsync(
        "default", pod.Metadata.Name, new JsonObject { ["status"] = new JsonObject { ["phase"] = "Running", ["podIP"] = ip } }, "test", "status", Ct));

    /// <summary>As the kubelet reports a trainer that it cannot start.</summary>
    internal async Task SetWaitingAsync(V1Pod pod, string reason, string message) => Cluster.Remember(await Connection.Pods().StrategicPatchAsync(
        "default", pod.Metadata.Name, new JsonObject
        {
            ["status"] = new JsonObject
            {
                ["phase"] = "Pending",
                ["containerStatuses"] = new JsonArray(new JsonObject
                {
                    ["name"] = PhiNames.TrainerContainer, ["image"] = "none:1", ["imageID"] = "", ["restartCount"] = 0, ["ready"] = false,
                    ["state"] = new JsonObject { ["waiting"] = new JsonObject { ["reason"] = reason, ["message"] = message } },
                }),
            },
        }, "test", "status", Ct));

    internal async Task<IReadOnlyList<V1Pod>> PodsAsync() => [.. (await Connection.Pods().ListAsync("default", null, Ct)).Items.Select(ResourceJson.Parse<V1Pod>).OrderBy(pod => pod.Metadata.Name, StringComparer.Ordinal)];
}
