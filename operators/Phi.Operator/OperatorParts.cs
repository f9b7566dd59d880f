using System.Net;
using System.Net.Sockets;
using k8s.Exceptions;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Trace;
using Phi.Kubernetes;
using Phi.Operator.AgentApi;
using Phi.Operator.Checkpoints;
using Phi.Operator.Controllers;
using Phi.Operator.Cron;
using Phi.Operator.Events;
using Phi.Operator.Execute;
using Phi.Operator.Leader;
using Phi.Operator.Metrics;
using Phi.Operator.Observe;
using Phi.Operator.Progress;
using Phi.Operator.Queues;
using Phi.Operator.Retention;
using Phi.Operator.Story;
using Phi.Operator.Tracing;
using Phi.Reconcile;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Snapshots;
using Phi.Telemetry.Store;

namespace Phi.Operator;

/// <summary>Everything that an operator is made of, put together; nothing of it runs yet.</summary>
internal sealed class OperatorParts : IAsyncDisposable
{
    private const string UserAgent = "phi-operator";
    private readonly TelemetryStore _store;
    private readonly KubernetesConnection _plain;
    private readonly KubernetesConnection _fenced;
    private readonly TracerProvider? _traces;
    private readonly ProgressTracker _progress;
    private readonly StoryWriter _story;
    private readonly QueueManager _queues;
    private readonly JobCatchUp _catchUp;
    private readonly CronController _crons;
    private readonly CheckpointController _checkpoints;
    private readonly RetentionController _retention;
    private readonly Func<JobSnapshot, JobDecision> _decide;

    private OperatorParts(OperatorOptions options, OperatorSeams seams, ILoggerFactory logs, TelemetryStore store, Socket listener)
    {
        var (time, logger) = (seams.Time, logs.CreateLogger("Phi.Operator.OperatorHost"));
        (_store, Listener, Identity) = (store, listener, OperatorIdentity.Resolve(options, ((IPEndPoint)listener.LocalEndPoint!).Port));
        _traces = OperatorTracing.Start(Identity.Name);
        Leadership = options.LeaderElect ? new Leadership(time) : Leadership.Permanent(time);
        _plain = KubernetesConnection.Open(options.Kubeconfig, UserAgent, seams.Handlers(new ApiMetricsHandler(Metrics, time)));
        _fenced = KubernetesConnection.Open(options.Kubeconfig, UserAgent, seams.Handlers(new ApiMetricsHandler(Metrics, time), new FenceHandler(Leadership)));
        var scope = NamespaceScope.Of(options.WatchNamespaces);
        Cluster = new ClusterCache(_fenced, time, logs, scope, options.TrainerImage);
        Hub = new AgentHub(Cluster, time);
        _decide = options.SimulateExecution ? SimulatedJobReconciler.Decide : JobReconciler.Decide;
        Events = new EventRecorder(new EventWriter(_fenced, Identity.Name), Metrics, time, logs.CreateLogger("Phi.Operator.Events"));
        _story = new StoryWriter(store, time, logs.CreateLogger("Phi.Operator.Story"));
        _progress = new ProgressTracker(_fenced, Cluster, store, Events, Metrics, time, logger);
        _queues = new QueueManager(_fenced, Cluster.Synced, keepsWords: !options.SimulateExecution, time, logs);
        _catchUp = new JobCatchUp(_fenced, scope, Cluster, _queues, time, logs.CreateLogger<JobCatchUp>());
        _crons = new CronController(_fenced, Events, time, logs.CreateLogger<CronController>(), scope);
        _checkpoints = new CheckpointController(options.CheckpointRoot, Cluster, time, logs.CreateLogger("Phi.Operator.Checkpoints"));
        _retention = new RetentionController(_fenced, scope, store, options.TelemetryRetention, Metrics, time, logs.CreateLogger("Phi.Operator.Retention"));
        if (options.LeaderElect)
        {
            var lease = seams.Lease(new LeaseOptions { Namespace = Identity.Namespace, Identity = Identity.Name });
            Elector = new LeaderElector(_plain, lease, Leadership, time, logs.CreateLogger("Phi.Operator.Leader"));
            Replicas = new ReplicaDirectory(_plain, lease, Identity.PeerUrl, time, logs.CreateLogger("Phi.Operator.Replicas"));
        }

        Forwarder = new LeaderForwarder(() => Replicas?.Find(Elector?.Holder), Identity.Name);
    }

    public OperatorIdentity Identity { get; }

    public OperatorMetrics Metrics { get; } = new();

    public Leadership Leadership { get; }

    /// <summary>Null without rivals.</summary>
    public LeaderElector? Elector { get; }

    /// <summary>Null without rivals.</summary>
    public ReplicaDirectory? Replicas { get; }

    public ClusterCache Cluster { get; }

    public AgentHub Hub { get; }

    public EventRecorder Events { get; }

    public Socket Listener { get; }

    public LeaderForwarder Forwarder { get; }

    public IReadOnlyList<IInformer> Informers => Replicas is null ? Cluster.Informers : [.. Cluster.Informers, Replicas.Informer];

    public static async Task<OperatorParts> CreateAsync(OperatorOptions options, OperatorSeams seams, ILoggerFactory logs, CancellationToken ct)
    {
        var store = await TelemetryStore.OpenAsync(options.TelemetryDatabase, seams.Time, ct);
        Socket? listener = null;
        try
        {
            listener = AgentApiServer.Listen(options.BindAddress, options.AgentApiPort, options.StateDirectory);
            return new OperatorParts(options, seams, logs, store, listener);
        }
        catch (Exception e)
        {
            listener?.Dispose();
            await store.DisposeAsync();
            if (e is KubeConfigException)
            {
                var what = options.Kubeconfig is null ? "is not given, and this is no pod with a service account" : $"is '{options.Kubeconfig}', which cannot be used";
                throw new OperatorOptionException($"--kubeconfig {what}: {e.Message}");
            }

            throw;
        }
    }

    /// <summary>The tokens of agents: shared by all replicas, or, without rivals, the folder's.</summary>
    public Task<AgentTokens> TokensAsync(string stateDirectory, CancellationToken ct) => Elector is null
        ? Task.FromResult(AgentTokens.LoadOrCreate(stateDirectory))
        : AgentTokens.LoadOrCreateAsync(_plain, Identity.Namespace, stateDirectory, ct);

    /// <summary>What the leader runs. A further controller is one more line here.</summary>
    public IReadOnlyList<IController> Controllers(JobController jobs) =>
    [
        Events,
        _story,
        _progress,
        _queues,
        _crons,
        _checkpoints,
        _retention,
        jobs,
    ];

    /// <summary>To be done when a term of leadership begins, before anything is decided.</summary>
    public Task CatchUpAsync(CancellationToken ct) => _catchUp.RunAsync(ct);

    /// <summary>Something happened to a job.</summary>
    public void OnJob(JobController jobs, ResourceKey key)
    {
        _queues.Observe(key, Cluster.Job(key));
        jobs.Add(key);
    }

    public JobController Jobs(AgentTokens tokens, TimeProvider time, ILogger logger)
    {
        var jobs = new JobController(
            Cluster, new Observer(Cluster, Hub, _queues, _decide, time), new Executor(_fenced, Cluster, tokens, Events, _story, Metrics, time, Identity.AgentUrl), _progress, Metrics, time, logger);
        _queues.Wake = jobs.Add;
        return jobs;
    }

    public AgentApiParts AgentApi(AgentTokens tokens, JobController jobs) => new()
    {
        Hub = Hub,
        Tokens = tokens,
        Progress = _progress,
        Leadership = Leadership,
        Forwarder = Forwarder,
        Metrics = Metrics,
        Urls = () => Replicas is null ? null : [.. new[] { Identity.AgentUrl }.Concat(Replicas.Urls).Distinct(StringComparer.Ordinal)],
        OnNews = jobs.Add,
    };

    public async ValueTask DisposeAsync()
    {
        Forwarder.Dispose();
        Hub.Dispose();
        _progress.Dispose();
        _fenced.Dispose();
        _plain.Dispose();
        _traces?.Dispose();
        Listener.Dispose();
        await _store.DisposeAsync();
    }
}
