using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Kubernetes;

namespace Phi.Operator.Tests.Cluster;

/// <summary>Plays the nodes and the agents: a bound pod runs, its agent asks for its part and tells how it is; pods end as the test says.</summary>
internal sealed class FakeNode : IAsyncDisposable
{
    /// <summary>By how much a round moves the clock: agents that are heard in each round are never silent for long, however slow the machine is.</summary>
    private static readonly TimeSpan RoundTime = TimeSpan.FromMilliseconds(500);
    private readonly KubernetesConnection _connection;
    private readonly string? _only;
    private readonly FakeTimeProvider? _clock;
    private readonly HttpClient _http;
    private string _authority = "";
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly Dictionary<string, int> _attempts = [];
    private readonly Dictionary<string, long> _steps = [];
    private readonly Dictionary<string, string> _tokens = [];
    private readonly Task _loop;
    private List<string> _urls = [];

    /// <param name="only">The one operator that agents ask, whatever their pod says. Null: the pod's, then those that an answer named.</param>
    /// <param name="clock">The operator's, which goes on with each round. Null: it has a real one.</param>
    public FakeNode(KubernetesConnection connection, string? only = null, FakeTimeProvider? clock = null)
    {
        (_connection, _only, _clock) = (connection, only, clock);
        _http = new HttpClient(new SocketsHttpHandler { SslOptions = new AuthorityTrust(() => _authority, "127.0.0.1").Options() }) { Timeout = TimeSpan.FromSeconds(5) };
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Base URLs of operators as the last answer had them.</summary>
    public IReadOnlyList<string> Urls => _urls;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _http.Dispose();
        _stop.Dispose();
    }

    /// <summary>Ends the trainer of every running pod, or of the one of an index.</summary>
    public async Task EndAsync(string job, int exitCode, int? index = null)
    {
        foreach (var pod in await PodsAsync(job))
        {
            if (pod.Status?.Phase == "Running" && (index is null || pod.Metadata.Labels[PhiNames.ReplicaIndexLabel] == $"{index}"))
            {
                await SetAsync(pod, exitCode == 0 ? "Succeeded" : "Failed", new JsonObject { ["terminated"] = new JsonObject { ["exitCode"] = exitCode, ["reason"] = exitCode == 0 ? "Completed" : "Error" } });
            }
        }
    }

    public async Task<IReadOnlyList<V1Pod>> PodsAsync(string job) =>
        [.. (await _connection.Pods().ListAsync("default", $"&labelSelector={PhiNames.JobNameLabel}%3D{job}", _stop.Token)).Items.Select(ResourceJson.Parse<V1Pod>)];

    private async Task RunAsync()
    {
        while (true)
        {
            IReadOnlyList<V1Pod> pods = [.. (await _connection.Pods().ListAsync("default", null, _stop.Token)).Items.Select(ResourceJson.Parse<V1Pod>)];
            foreach (var pod in pods)
            {
                try
                {
                    await TendAsync(pod);
                }
                catch (Exception e) when (e is HttpRequestException or KubernetesApiException or OperationCanceledException && !_stop.IsCancellationRequested)
                {
                    // An operator that is away, or a pod that went meanwhile: the next round sees it.
                }
            }

            if (!pods.Any(IsWithScheduler))
            {
                _clock?.Advance(RoundTime);
            }

            await Task.Delay(20, _stop.Token);
        }
    }

    /// <summary>The scheduler's clock is the real one: the operator's waits for it.</summary>
    private static bool IsWithScheduler(V1Pod pod) => pod is { Metadata.DeletionTimestamp: null, Spec: { NodeName: null or "", SchedulingGates: null or { Count: 0 } } };

    private async Task TendAsync(V1Pod pod)
    {
        if (pod.Metadata.DeletionTimestamp is not null)
        {
            await _connection.Pods().DeleteAsync("default", pod.Metadata.Name, pod.Metadata.Uid, 0, _stop.Token);
        }
        else if (pod.Status?.Phase == "Pending" && !string.IsNullOrEmpty(pod.Spec.NodeName))
        {
            await SetAsync(pod, "Running", new JsonObject { ["running"] = new JsonObject() });
        }
        else if (pod.Status?.Phase == "Running")
        {
            await SpeakAsync(pod);
        }
    }

    private async Task SpeakAsync(V1Pod pod)
    {
        var env = pod.Spec.Containers[0].Env.ToDictionary(variable => variable.Name, variable => variable.Value);
        if (!_tokens.ContainsKey(pod.Metadata.Uid))
        {
            _tokens[pod.Metadata.Uid] = await PodToken.RequestAsync(_connection, pod, _stop.Token);
        }

        // One pod after the other.
        _authority = pod.Metadata.Annotations[PhiNames.AuthorityAnnotation];
        var self = new AssignmentRequest
        {
            Namespace = "default",
            Job = env[PhiEnvironment.JobName],
            JobUid = env[PhiEnvironment.JobUid],
            Pod = pod.Metadata.Name,
            PodUid = pod.Metadata.Uid,
            PodIp = "127.0.0.1",
            ReplicaIndex = int.Parse(env[PhiEnvironment.ReplicaIndex], System.Globalization.CultureInfo.InvariantCulture),
        };
        if (!_attempts.TryGetValue(self.PodUid, out var attempt))
        {
            if ((await PostAsync<AssignmentResponse>(env, _tokens[self.PodUid], AgentRoutes.Assignment, self)).Assignment is not { } assignment)
            {
                return;
            }

            attempt = _attempts[self.PodUid] = assignment.Attempt;
        }

        var rank = new RankHeartbeat { Rank = self.ReplicaIndex, State = RankState.Training, Step = _steps.GetValueOrDefault(self.JobUid) };
        var answer = await PostAsync<HeartbeatResponse>(env, _tokens[self.PodUid], AgentRoutes.Heartbeat, new Heartbeat
        {
            Namespace = self.Namespace, Job = self.Job, JobUid = self.JobUid, Pod = self.Pod, PodUid = self.PodUid, ReplicaIndex = self.ReplicaIndex, Attempt = attempt, Ranks = [rank],
        });
        _urls = [.. answer.OperatorUrls ?? []];
        if (answer.Command == AgentCommand.Restart)
        {
            _attempts.Remove(self.PodUid);
        }
        else if (self.ReplicaIndex == 0)
        {
            await StepAsync(env, self, attempt);
        }
    }

    private async Task StepAsync(Dictionary<string, string> env, AssignmentRequest self, int attempt)
    {
        var step = _steps.GetValueOrDefault(self.JobUid) + 1;
        await PostAsync<JsonNode>(env, _tokens[self.PodUid], AgentRoutes.Events, new EventBatch
        {
            Namespace = self.Namespace,
            Job = self.Job,
            JobUid = self.JobUid,
            Attempt = attempt,
            Steps = [new StepEvent { Rank = 0, Step = step, Time = (_clock ?? TimeProvider.System).GetUtcNow(), Metrics = new Dictionary<string, double> { ["step_seconds"] = 0.01, ["loss"] = 2, ["tokens"] = step * 100 } }],
        });
        _steps[self.JobUid] = step;
    }

    private async Task<T> PostAsync<T>(Dictionary<string, string> env, string token, string route, object body)
    {
        HttpRequestException? problem = null;
        foreach (var url in _only is not null ? [_only] : new[] { env[PhiEnvironment.OperatorUrl] }.Concat(_urls).Distinct())
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(new Uri(url), route)) { Content = JsonContent.Create(body, body.GetType(), options: PhiJson.Options) };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            try
            {
                using var response = await _http.SendAsync(request, _stop.Token);
                response.EnsureSuccessStatusCode();
                var text = await response.Content.ReadAsStringAsync(_stop.Token);
                return text.Length == 0 ? default! : JsonSerializer.Deserialize<T>(text, PhiJson.Options)!;
            }
            catch (HttpRequestException e)
            {
                problem = e;
            }
        }

        throw problem!;
    }

    private Task<V1Pod> SetAsync(V1Pod pod, string phase, JsonObject state) => _connection.Pods().StrategicPatchAsync("default", pod.Metadata.Name, new JsonObject
    {
        ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid },
        ["status"] = new JsonObject
        {
            ["phase"] = phase,
            ["podIP"] = "127.0.0.1",
            ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = phase == "Running" ? "True" : "False" }),
            ["containerStatuses"] = new JsonArray(new JsonObject { ["name"] = PhiNames.TrainerContainer, ["image"] = "none", ["imageID"] = "", ["restartCount"] = 0, ["ready"] = phase == "Running", ["state"] = state }),
        },
    }, "test", "status", _stop.Token);
}
