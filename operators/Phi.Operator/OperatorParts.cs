using System.Net;
using System.Net.Sockets;
using k8s.Exceptions;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Trace;
using Phi.Api.Agent;
using Phi.Kubernetes;
using Phi.Operator.AgentApi;
using Phi.Operator.AgentApi.Identity;
using Phi.Operator.AgentApi.Tls;
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
    private readonly TokenReviewer _reviewer;
    private readonly CallLimits _limits = new(new CallLimitOptions());
    private readonly TokenVerdicts _verdicts;
    private LeaderForwarder? _forwarder;

    private OperatorParts(OperatorOptions options, OperatorSeams seams, ILoggerFactory logs, TelemetryStore store, Socket listener)
    {
        var (time, logger) = (seams.Time, logs.CreateLogger("Phi.Operator.OperatorHost"));
        (_store, Listener, Identity) = (store, listener, OperatorIdentity.Resolve(options, ((IPEndPoint)listener.LocalEndPoint!).Port));
        _traces = OperatorTracing.Start(Identity.Name);
        Leadership = options.LeaderElect ? new Leadership(time) : Leadership.Permanent(time);
        _plain = KubernetesConnection.Open(options.Kubeconfig, UserAgent, seams.Handlers(new ApiMetricsHandler(Metrics, time)));
        _fenced = KubernetesConnection.Open(options.Kubeconfig, UserAgent, seams.Handlers(new ApiMetricsHandler(Metrics, time), new FenceHandler(Leadership)));
        _reviewer = new TokenReviewer(_plain, time, logs.CreateLogger("Phi.Operator.AgentApi"));
        _verdicts = new TokenVerdicts(_reviewer.AskAsync, _limits.Review, time);
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

    public IReadOnlyList<IInformer> Informers => Replicas is null ? Cluster.Informers : [.. Cluster.Informers, Replicas.Informer];

    public static async Task<OperatorParts> CreateAsync(OperatorOptions options, OperatorSeams seams, ILoggerFactory logs, CancellationToken ct)
    {
        var store = await TelemetryStore.OpenAsync(options.TelemetryDatabase, seams.Time, ct);
        Socket? listener = null;
        try
        {
            CheckTls(options);
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

    /// <summary>What agents are known by and know the operator by: shared by all replicas, or, without rivals, the folder's.</summary>
    /// <exception cref="OperatorOptionException">Files that were given cannot be used.</exception>
    public async Task<AgentSecrets> SecretsAsync(OperatorOptions options, TimeProvider time, ILogger logger, CancellationToken ct)
    {
        var folder = options.StateDirectory;
        var tokens = Elector is null ? AgentTokens.LoadOrCreate(folder) : await AgentTokens.LoadOrCreateAsync(_plain, Identity.Namespace, folder, ct);
        if (options.TlsCertificateFile is { } certificate)
        {
            return new AgentSecrets(tokens, new FileCertificate(certificate, options.TlsKeyFile!, options.TlsAuthorityFile ?? certificate, time, logger));
        }

        var authority = Elector is null ? AuthorityStore.LoadOrCreate(folder, time) : await AuthorityStore.LoadOrCreateAsync(_plain, Identity.Namespace, folder, time, ct);
        return new AgentSecrets(tokens, new IssuedCertificate(authority, Identity.Hosts(), time));
    }

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

    public JobController Jobs(IServerCertificate certificate, TimeProvider time, ILogger logger)
    {
        var jobs = new JobController(
            Cluster, new Observer(Cluster, Hub, _queues, _decide, time), new Executor(_fenced, Cluster, Events, _story, Metrics, time, () => new OperatorAddress(Identity.AgentUrl, certificate.AuthorityPem)), _progress, Metrics, time, logger);
        _queues.Wake = jobs.Add;
        return jobs;
    }

    public AgentApiParts AgentApi(AgentSecrets secrets, JobController jobs) => new()
    {
        Hub = Hub,
        Certificate = secrets.Certificate,
        Gate = new AgentGate(_verdicts, new LegacyPods(secrets.Tokens, Cluster), _limits, Cluster, Leadership),
        Tokens = secrets.Tokens,
        Progress = _progress,
        Leadership = Leadership,
        Forwarder = _forwarder ??= new LeaderForwarder(
            () => Replicas?.Find(Elector?.Holder), Identity.Name, new AuthorityTrust(() => secrets.Certificate.AuthorityPem, new Uri(Identity.AgentUrl).IdnHost)),
        Metrics = Metrics,
        Urls = () => Replicas is null ? null : [.. new[] { Identity.AgentUrl }.Concat(Replicas.Urls).Distinct(StringComparer.Ordinal)],
        OnNews = jobs.Add,
    };

    private static void CheckTls(OperatorOptions options)
    {
        if ((options.TlsCertificateFile is null) != (options.TlsKeyFile is null) || (options.TlsAuthorityFile is not null && options.TlsCertificateFile is null))
        {
            throw new OperatorOptionException("--tls-cert-file, --tls-key-file and --tls-ca-file go together: give a certificate and its key, and the authority unless the certificate's file holds it; or none of them");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _forwarder?.Dispose();
        Hub.Dispose();
        _verdicts.Dispose();
        _limits.Dispose();
        _reviewer.Dispose();
        _progress.Dispose();
        _fenced.Dispose();
        _plain.Dispose();
        _traces?.Dispose();
        Listener.Dispose();
        await _store.DisposeAsync();
    }
}
