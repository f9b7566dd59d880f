using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Phi.Api.Crds;
using Phi.Api.Manifests;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Api.TrainingQueues;
using Phi.Kubernetes;
using Phi.LocalCluster.ApiServer;
using Phi.Operator.Tests.Cluster;

namespace Phi.Operator.Tests.Queues;

/// <summary>An embedded API server and the operator on it, both in this process; no nodes.</summary>
internal sealed class QueueCluster : IAsyncDisposable
{
    private const string Test = "test";
    private readonly string _folder = Directory.CreateTempSubdirectory("phi queues ").FullName;
    private readonly bool _simulates;
    private ApiServerHost? _server;
    private CancellationTokenSource? _stop;
    private Task _operator = Task.CompletedTask;

    private QueueCluster(bool simulates) => _simulates = simulates;

    public KubernetesConnection Connection { get; private set; } = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<QueueCluster> StartAsync(bool simulates)
    {
        var cluster = new QueueCluster(simulates);
        var kubeconfig = Path.Combine(cluster._folder, "kubeconfig");
        cluster._server = await ApiServerHost.StartAsync(
            new ApiServerOptions { DataDirectory = Path.Combine(cluster._folder, "data"), AdminToken = "test-token", KubeconfigPath = kubeconfig, CrdManifests = CrdCatalog.All, NodeMonitorGracePeriod = TestCluster.NodesForEver }, Ct);
        cluster.Connection = KubernetesConnection.Open(kubeconfig, Test);
        cluster.StartOperator();
        return cluster;
    }

    public void StartOperator()
    {
        _stop = new CancellationTokenSource();
        var options = new OperatorOptions
        {
            Kubeconfig = Path.Combine(_folder, "kubeconfig"),
            StateDirectory = Directory.CreateDirectory(Path.Combine(_folder, "operator")).FullName,
            TelemetryDatabase = Path.Combine(_folder, "telemetry.db"),
            SimulateExecution = _simulates,
        };
        _operator = OperatorHost.RunAsync(options, NullLoggerFactory.Instance, _stop.Token);
    }

    public async Task StopOperatorAsync()
    {
        await _stop!.CancelAsync();
        await _operator;
        _stop.Dispose();
    }

    public async Task ApplyAsync(string yaml)
    {
        foreach (var manifest in ManifestReader.Read(yaml))
        {
            var name = (string)manifest["metadata"]!["name"]!;
            Task apply = (string)manifest["kind"]! switch
            {
                "TrainingQueue" => Connection.TrainingQueues().ApplyAsync("", name, manifest, Test, null, Ct),
                "PriorityClass" => Connection.PriorityClasses().ApplyAsync("", name, manifest, Test, null, Ct),
                _ => Connection.TrainingJobs().ApplyAsync("default", name, manifest, Test, null, Ct),
            };
            await apply;
        }
    }

    /// <summary>A job of one-accelerator pods.</summary>
    public Task SubmitAsync(string name, string queue, int units, string runtime = "1h", string? priorityClass = null) => ApplyAsync($$$"""
        apiVersion: phi-orchestrator.io/v1alpha1
        kind: TrainingJob
        metadata: {name: {{{name}}}, namespace: default, annotations: {phi-orchestrator.io/simulated-runtime: {{{runtime}}} } }
        spec:
          queue: {{{queue}}}
          {{{(priorityClass is null ? "" : "priorityClassName: " + priorityClass)}}}
          replicas: {{{units}}}
          accelerator: {type: cpu, perReplica: 1}
          phi: {steps: 10, data: {sources: [/x]}}
        """);

    public Task PatchAsync(string job, string spec) => Connection.TrainingJobs().MergePatchAsync("default", job, new JsonObject { ["spec"] = JsonNode.Parse(spec) }, Test, null, Ct);

    public Task DeleteAsync(string job) => Connection.TrainingJobs().DeleteAsync("default", job, null, null, Ct);

    public static Condition? Condition(TrainingJob job, string type) => job.Status?.Conditions?.Find(condition => condition.Type == type);

    public static bool HoldsQuota(TrainingJob job) => Condition(job, TrainingConditions.QuotaReserved)?.Status == "True";

    public static bool WaitsBecause(TrainingJob job, string reason) => Condition(job, TrainingConditions.QuotaReserved) is { Status: "False" } condition && condition.Reason == reason;

    /// <summary>Watches until the job is as described.</summary>
    public async Task<TrainingJob> UntilAsync(string name, Predicate<TrainingJob> isSo) =>
        await UntilAsync(() => Connection.TrainingJobs().GetAsync("default", name, Ct), job => job is not null && isSo(job)) ?? throw new InvalidOperationException(name);

    public async Task<TrainingQueue> UntilQueueAsync(string name, Predicate<TrainingQueueStatus> isSo) =>
        await UntilAsync(() => Connection.TrainingQueues().GetAsync("", name, Ct), queue => queue?.Status is { } status && isSo(status)) ?? throw new InvalidOperationException(name);

    public async ValueTask DisposeAsync()
    {
        await StopOperatorAsync();
        Connection.Dispose();
        await _server!.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Looks again and again; the test's own time limit is the only one, and what was seen last is told.</summary>
    private static async Task<T?> UntilAsync<T>(Func<Task<T?>> get, Predicate<T?> isSo)
        where T : class
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            var value = await get();
            if (isSo(value))
            {
                return value;
            }

            try
            {
                await timer.WaitForNextTickAsync(limit.Token);
            }
            catch (OperationCanceledException) when (!Ct.IsCancellationRequested)
            {
                throw new TimeoutException($"not so after 2 minutes: {(value is null ? "there is none" : ResourceJson.Write(value).ToJsonString())}");
            }
        }
    }
}
