using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Phi.Api.Agent;
using Phi.Api.Crds;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.LocalCluster.ApiServer;
using Phi.LocalCluster.Nodes;
using Phi.LocalCluster.Scheduling;
using Phi.Operator.Tests.Cluster;

namespace Phi.Operator.Tests;

/// <summary>A container job from its manifest to its end: API server, scheduler, nodes, operator and two Python processes.</summary>
public sealed class ContainerGangTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("phi gang ").FullName;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _parts = [];
    private ApiServerHost _server = null!;
    private KubernetesConnection _connection = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static IReadOnlyList<VolumeVariable> Told { get; } =
    [
        new VolumeVariable(AgentCredentials.Volume, PhiEnvironment.AgentTokenFile, AgentCredentials.TokenFile),
        new VolumeVariable(AgentCredentials.Volume, PhiEnvironment.OperatorAuthorityFile, AgentCredentials.AuthorityFile),
    ];

    private string Out => Path.Combine(_folder, "out");

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(Out);
        var kubeconfig = Path.Combine(_folder, "kubeconfig");
        _server = await ApiServerHost.StartAsync(new ApiServerOptions { DataDirectory = Path.Combine(_folder, "data"), AdminToken = "token", KubeconfigPath = kubeconfig, CrdManifests = CrdCatalog.All, NodeMonitorGracePeriod = TestCluster.NodesForEver }, Ct);
        _connection = KubernetesConnection.Open(kubeconfig, "test");
        _parts.Add(SchedulerHost.RunAsync(_connection, TimeProvider.System, NullLoggerFactory.Instance, _stop.Token));
        foreach (var name in new[] { "node-0", "node-1" })
        {
            // One slot each: the gang must find itself across nodes.
            _parts.Add(NodeAgentHost.RunAsync(new NodeAgentOptions { Kubeconfig = kubeconfig, Name = name, Slots = 1, StateDirectory = Path.Combine(_folder, name), VolumeVariables = Told }, NullLoggerFactory.Instance, _stop.Token));
        }

        _parts.Add(OperatorHost.RunAsync(new OperatorOptions { Kubeconfig = kubeconfig, StateDirectory = Path.Combine(_folder, "operator"), TelemetryDatabase = Path.Combine(_folder, "telemetry.db") }, NullLoggerFactory.Instance, _stop.Token));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_parts);
        _connection.Dispose();
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        _stop.Dispose();
    }

    [Fact]
    public async Task Gang_DisruptedAndThenFailing_IsReplacedAsAWholeAndSucceeds()
    {
        await CreateAsync("gang");
        await WaitAsync("gang", job => job.Status is { Attempt: 1, Phase: TrainingPhase.Running, Progress.Step: >= 3 });
        await _connection.Pods().DeleteAsync("default", "gang-1", null, null, Ct);

        var job = await WaitAsync("gang", one => one.Status?.Phase == TrainingPhase.Succeeded);

        Assert.Equal((3, 1, 1), (job.Status!.Attempt, job.Status.Restarts, job.Status.FreeRestarts));
        Assert.Equal((5, 0.2, 1.0), (job.Status.Progress!.Step, job.Status.Progress.Loss, job.Status.Progress.FirstLoss));
        Assert.Contains("all 2 pods ended with exit code 0", job.Status.Conditions!.Single(condition => condition.Type == TrainingConditions.Finished).Message, StringComparison.Ordinal);
        Assert.StartsWith("/ckpt/", job.Status.Checkpoint!.Uri, StringComparison.Ordinal);
        Assert.Equal(["1-0.json", "1-1.json", "2-0.json", "2-1.json", "3-0.json", "3-1.json"], Directory.EnumerateFiles(Out).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var (first, second) = (Environment("3-0.json"), Environment("3-1.json"));
        Assert.Equal((first["PHI_POD_IP"], first["PHI_POD_IP"]), (first["MASTER_ADDR"], second["MASTER_ADDR"]));
        Assert.Equal(("2", "1", "0", "1", "1"), (second["WORLD_SIZE"], second["RANK"], second["LOCAL_RANK"], second["LOCAL_WORLD_SIZE"], second["PET_NPROC_PER_NODE"]));
    }

    [Fact]
    public async Task Progress_ThatIsBroken_IsRefusedWithItsField()
    {
        await CreateAsync("gang");
        await WaitAsync("gang", job => job.Status?.Progress?.Step >= 1);
        var environment = Environment("1-0.json");
        using var http = new HttpClient(new SocketsHttpHandler { SslOptions = new AuthorityTrust(() => File.ReadAllText(environment["PHI_OPERATOR_CA_FILE"]), "127.0.0.1").Options() });

        async Task<(int Code, string Answer)> PostAsync(string url, string token, string body)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new StringContent(body), Headers = { { "Authorization", $"Bearer {token}" } } };
            using var response = await http.SendAsync(request, Ct);
            return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(Ct));
        }

        var (url, token) = (environment["PHI_PROGRESS_URL"], await File.ReadAllTextAsync(environment["PHI_AGENT_TOKEN_FILE"], Ct));
        Assert.Equal((422, "step: 0: must be at least 1; count the steps that are done"), await PostAsync(url, token, """{"step": 0}"""));
        Assert.Equal(401, (await PostAsync(url, "other", """{"step": 1}""")).Code);
        Assert.Equal(422, (await PostAsync(url.Split("&attempt")[0], token, """{"step": 1}""")).Code);
        Assert.Equal(413, (await PostAsync(url, token, new string('x', 70000))).Code);
        Assert.Equal(204, (await PostAsync(url, token, """{"step": 1}""")).Code);
    }

    private Task<TrainingJob> CreateAsync(string name) => _connection.TrainingJobs().CreateAsync("default", new TrainingJob
    {
        Metadata = new ObjectMeta { Name = name, Namespace = "default" },
        Spec = new TrainingJobSpec
        {
            Replicas = 2,
            Accelerator = new AcceleratorSpec { Type = "cpu", PerReplica = 1 },
            Container = new ContainerSpec { Image = "python:3", Command = ["python3", Path.Combine(AppContext.BaseDirectory, "gang.py")], ProgressFile = "None" },
            Template = new PodTemplateSpec { Env = [new JsonObject { ["name"] = "OUT", ["value"] = Out }] },
            Recovery = new RecoverySpec { Backoff = "100ms" },
        },
    }, "test", Ct);

    private Dictionary<string, string> Environment(string file) => JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(Path.Combine(Out, file)))!;

    private async Task<TrainingJob> WaitAsync(string name, Func<TrainingJob, bool> condition)
    {
        while (true)
        {
            var job = await _connection.TrainingJobs().GetAsync("default", name, Ct);
            if (condition(job!))
            {
                return job!;
            }

            Assert.True(job!.Status?.Phase is not (TrainingPhase.Failed or TrainingPhase.Succeeded), JsonSerializer.Serialize(job.Status, PhiJson.Options));
            Assert.All(_parts, part => Assert.False(part.IsCompleted, part.Exception?.ToString()));
            await Task.Yield();
        }
    }
}
