using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.AgentApi;
using Phi.Operator.AgentApi.Identity;
using Phi.Operator.AgentApi.Tls;
using Phi.Operator.Events;
using Phi.Operator.Execute;
using Phi.Operator.Leader;
using Phi.Operator.Metrics;
using Phi.Operator.Observe;
using Phi.Operator.Progress;
using Phi.Operator.Tests.Cluster;
using Phi.Telemetry.Store;

namespace Phi.Operator.Tests;

/// <summary>The agent API of an operator that does nothing else, with jobs and pods of the test's.</summary>
internal sealed class AgentApiBed : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("phi agent api ").FullName;
    private readonly OperatorMetrics _metrics = new();
    private readonly LeaderForwarder _forwarder;
    private readonly CancellationTokenSource _stop = new();
    private readonly AwayHandler _away = new();
    private readonly TestCluster _cluster;
    private readonly KubernetesConnection _reviews;
    private readonly TokenReviewer _reviewer;
    private readonly TokenVerdicts _verdicts;
    private readonly CallLimits _limits;
    private readonly IssuedCertificate _certificate;
    private readonly HttpClient _http;
    private Task _caching = Task.CompletedTask;
    private AgentApiServer? _server;

    private AgentApiBed(TestCluster cluster, Leadership leadership, TimeProvider time, CallLimitOptions limits)
    {
        _limits = new CallLimits(limits);
        (_cluster, Leadership) = (cluster, leadership);
        Cache = new ClusterCache(cluster.Connection, TimeProvider.System, NullLoggerFactory.Instance);
        Hub = new AgentHub(Cache, TimeProvider.System);
        Tokens = AgentTokens.LoadOrCreate(_folder);
        _certificate = new IssuedCertificate(AuthorityStore.LoadOrCreate(_folder, TimeProvider.System), ["127.0.0.1"], TimeProvider.System);
        var trust = new AuthorityTrust(() => _certificate.AuthorityPem, "127.0.0.1");
        _forwarder = new LeaderForwarder(() => null, "test", trust);
        _http = new HttpClient(new SocketsHttpHandler { SslOptions = trust.Options() });
        _reviews = KubernetesConnection.Open(cluster.Kubeconfig, "test", _away);
        _reviewer = new TokenReviewer(_reviews, TimeProvider.System, NullLogger.Instance);
        _verdicts = new TokenVerdicts(_reviewer.AskAsync, _limits.Review, time);
    }

    public Leadership Leadership { get; }

    public ClusterCache Cache { get; }

    public AgentHub Hub { get; }

    public AgentTokens Tokens { get; }

    public TelemetryStore Store { get; private set; } = null!;

    public ProgressTracker Progress { get; private set; } = null!;

    /// <summary>How often the API server was asked about a token.</summary>
    public int Reviews => _away.Requests;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Whether the API server cannot be asked about tokens.</summary>
    public bool IsServerAway
    {
        get => _away.IsAway;
        set => _away.IsAway = value;
    }

    /// <param name="time">Of the verdicts on tokens alone.</param>
    /// <param name="limits">Null: none that a test comes to.</param>
    public static async Task<AgentApiBed> StartAsync(TestCluster cluster, bool isLeading = true, TimeProvider? time = null, CallLimitOptions? limits = null)
    {
        var bed = new AgentApiBed(cluster, isLeading ? Leadership.Permanent(TimeProvider.System) : new Leadership(TimeProvider.System), time ?? TimeProvider.System, limits ?? new CallLimitOptions(Burst: 100_000));
        bed.Store = await TelemetryStore.OpenAsync(Path.Combine(bed._folder, "telemetry.db"), TimeProvider.System, Ct);
        var events = new EventRecorder(new EventWriter(cluster.Connection, "test"), bed._metrics, TimeProvider.System, NullLogger.Instance);
        bed.Progress = new ProgressTracker(cluster.Connection, bed.Cache, bed.Store, events, bed._metrics, TimeProvider.System, NullLogger.Instance);
        bed._caching = bed.Cache.RunAsync(_ => { }, _ => { }, bed._stop.Token);
        await bed.Cache.Synced.WaitAsync(Ct);
        var listener = AgentApiServer.Listen(IPAddress.Loopback, 0, bed._folder);
        var gate = new AgentGate(bed._verdicts, new LegacyPods(bed.Tokens, bed.Cache), bed._limits, bed.Cache, bed.Leadership);
        bed._server = await AgentApiServer.StartAsync(
            listener, new AgentApiParts { Hub = bed.Hub, Certificate = bed._certificate, Gate = gate, Tokens = bed.Tokens, Progress = bed.Progress, Leadership = bed.Leadership, Forwarder = bed._forwarder, Metrics = bed._metrics, Urls = () => null, OnNews = _ => { } }, Ct);
        bed._http.BaseAddress = new UriBuilder("https", "127.0.0.1", ((IPEndPoint)listener.LocalEndPoint!).Port).Uri;
        return bed;
    }

    public async ValueTask DisposeAsync()
    {
        await _server!.DisposeAsync();
        await _stop.CancelAsync();
        await _caching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _http.Dispose();
        _certificate.Dispose();
        _forwarder.Dispose();
        _verdicts.Dispose();
        _limits.Dispose();
        _reviewer.Dispose();
        _reviews.Dispose();
        Hub.Dispose();
        Progress.Dispose();
        await Store.DisposeAsync();
        _stop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A job with its first pod, both as the operator would make them, and seen by it.</summary>
    /// <param name="change">What else the pod has or has not.</param>
    public async Task<AgentPod> PodAsync(string job, Action<JsonObject>? change = null)
    {
        var stored = await _cluster.SubmitAsync(job);
        var json = GangPod.Pod(TrainingJobDefaults.Apply(stored), 0, $"{job}-0", 1, new OperatorAddress("https://operator", _certificate.AuthorityPem));
        change?.Invoke(json);
        var pod = await _cluster.Connection.Pods().ApplyAsync("default", $"{job}-0", json, "test", null, Ct);
        await UntilAsync(() => Cache.Job(new ResourceKey("default", job))?.Metadata.Uid == stored.Metadata.Uid && Cache.Pod("default", pod.Metadata.Name)?.Metadata.Uid == pod.Metadata.Uid);
        return new AgentPod(stored, pod, await PodToken.RequestAsync(_cluster.Connection, pod, Ct));
    }

    public static async Task UntilAsync(Func<bool> isSo)
    {
        while (!isSo())
        {
            await Task.Delay(20, Ct);
        }
    }

    public Task<(HttpStatusCode Code, string Answer)> BeatAsync(AgentPod pod, string? token = null, bool isPlain = false) => PostAsync(AgentRoutes.Heartbeat, token ?? pod.Token, JsonSerializer.Serialize(
        new Heartbeat { Namespace = "default", Job = pod.Job.Metadata.Name!, JobUid = pod.Job.Metadata.Uid!, Pod = pod.Pod.Metadata.Name, PodUid = pod.Pod.Metadata.Uid, ReplicaIndex = 0, Attempt = 1, Ranks = [] }, PhiJson.Options), isPlain);

    /// <param name="token">Null: none is shown.</param>
    /// <param name="isPlain">Without TLS.</param>
    public async Task<(HttpStatusCode Code, string Answer)> PostAsync(string route, string? token, string json, bool isPlain = false)
    {
        using var response = await SendAsync(route, token, json, isPlain);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Ct));
    }

    public async Task<HttpResponseMessage> SendAsync(string route, string? token, string json, bool isPlain = false)
    {
        var to = new Uri(isPlain ? new UriBuilder("http", _http.BaseAddress!.Host, _http.BaseAddress.Port).Uri : _http.BaseAddress!, route);
        using var request = new HttpRequestMessage(HttpMethod.Post, to) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return await _http.SendAsync(request, Ct);
    }

    private sealed class AwayHandler : DelegatingHandler
    {
        private int _requests;

        public volatile bool IsAway;

        public int Requests => Volatile.Read(ref _requests);

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _requests);
            return IsAway ? Task.FromException<HttpResponseMessage>(new HttpRequestException("the API server is away")) : base.SendAsync(request, cancellationToken);
        }
    }
}

/// <param name="Token">Bound to the pod, for the operator.</param>
internal sealed record AgentPod(TrainingJob Job, V1Pod Pod, string Token);
