using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Phi.Api.Agent;
using Phi.Dashboard.Api;
using Phi.Kubernetes;
using Phi.Telemetry.Goodput;
using Phi.Telemetry.Store;

[assembly: AssemblyFixture(typeof(Phi.Dashboard.Tests.Api.ApiServer))]

namespace Phi.Dashboard.Tests.Api;

/// <summary>The dashboard's API over a store with one run: two attempts, two ranks, three metrics.</summary>
public sealed class ApiServer : IAsyncLifetime
{
    public const string Run = "11111111-2222-3333-4444-555555555555";

    /// <summary>As the operator would have written it.</summary>
    private static readonly AttemptGoodput Goodput = new()
    {
        Attempt = 1, Steps = 100, FirstStep = 1, LastStep = 100, Start = DateTimeOffset.UnixEpoch.AddSeconds(1000.5), End = DateTimeOffset.UnixEpoch.AddSeconds(1100), ProductiveSeconds = 40, LostSeconds = 10, LostFromStep = 81,
        Tokens = 1000, FirstLoss = 1, Loss = double.NaN,
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("phi api ").FullName;
    private TelemetryStore? _store;
    private WebApplication? _app;
    private KubernetesConnection? _connection;

    public HttpClient Client { get; } = new();

    public async ValueTask InitializeAsync()
    {
        _store = await TelemetryStore.OpenAsync(Path.Combine(_folder, "telemetry.db"), TimeProvider.System, CancellationToken.None);
        await _store.IngestAsync(Batch(1, 1, 100), CancellationToken.None);
        await _store.IngestAsync(Batch(2, 81, 120) with { Checkpoints = [new CheckpointEvent { Step = 80, Time = DateTimeOffset.UnixEpoch, Uri = "file:///c/step-80" }] }, CancellationToken.None);
        await _store.Goodput.WriteAsync([new RunGoodput(Run, [Goodput])], CancellationToken.None);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        ApiHost.AddServices(builder.Services);
        _app = builder.Build();
        _app.Urls.Add("http://127.0.0.1:0");
        // A cluster that nobody answers for.
        var kubeconfig = Path.Combine(_folder, "kubeconfig");
        await File.WriteAllTextAsync(kubeconfig, """
            apiVersion: v1
            kind: Config
            current-context: none
            contexts: [{name: none, context: {cluster: none, user: none}}]
            clusters: [{name: none, cluster: {server: "http://127.0.0.1:1"}}]
            users: [{name: none, user: {token: none}}]
            """);
        _connection = KubernetesConnection.Open(kubeconfig, "test");
        ApiHost.Map(_app, _store, _connection);
        await _app.StartAsync();
        Client.BaseAddress = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app!.DisposeAsync();
        _connection!.Dispose();
        await _store!.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Each step has 10 tokens and takes half a second.</summary>
    private static EventBatch Batch(int attempt, int first, int last) => new()
    {
        Namespace = "default",
        Job = "job",
        JobUid = Run,
        Attempt = attempt,
        Steps =
        [
            .. from rank in Enumerable.Range(0, 2)
               from step in Enumerable.Range(first, last - first + 1)
               select new StepEvent
               {
                   Rank = rank,
                   Step = step,
                   Time = DateTimeOffset.UnixEpoch.AddSeconds(1000 * attempt + step),
                   Metrics = new Dictionary<string, double> { ["loss"] = step == 90 ? double.NaN : 1.0 / step, ["tokens"] = 10 * step, ["step_seconds"] = 0.5 },
               },
        ],
    };
}
