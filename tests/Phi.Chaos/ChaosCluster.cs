using System.Text.Json.Nodes;
using Phi.Api.Crds;
using Phi.Api.Manifests;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;

namespace Phi.Chaos;

/// <summary>A cluster on this machine, each part a process: control plane, operator, nodes of two slots.</summary>
public sealed class ChaosCluster : IAsyncDisposable
{
    public const string Namespace = "default";
    private const int Slots = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private readonly string _phi;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private KubernetesConnection? _connection;

    /// <param name="phi">The command line's executable.</param>
    /// <param name="trainer">Folder of the trainer's.</param>
    public ChaosCluster(string folder, string phi, string trainer)
    {
        Home = folder;
        _phi = phi;
        _environment = new Dictionary<string, string> { ["PHI_TRAINER_PATH"] = trainer };
        Directory.CreateDirectory(Path.Combine(folder, "logs"));
        ControlPlane = Part("control-plane", "control-plane", "--home", Home, "--stop-with-parent");
        Operator = Part("operator", "operator", "--kubeconfig", Kubeconfig, "--state", Path.Combine(Home, "operator"), "--telemetry", Telemetry, "--identity", "chaos", "--stop-with-parent");
    }

    public string Home { get; }

    public string Kubeconfig => Path.Combine(Home, "kubeconfig");

    public string Telemetry => Path.Combine(Home, "telemetry.db");

    public Component ControlPlane { get; }

    public Component Operator { get; }

    /// <summary>By name.</summary>
    public SortedDictionary<string, Component> Nodes { get; } = new(StringComparer.Ordinal);

    public KubernetesConnection Connection => _connection!;

    public async Task StartAsync(int nodes, CancellationToken ct)
    {
        ControlPlane.Start();
        await UntilAsync(() => Task.FromResult(File.Exists(Kubeconfig)), "the control plane's kubeconfig", ct);
        _connection = KubernetesConnection.Open(Kubeconfig, "phi-chaos");
        await UntilAsync(IsServingAsync, "an answer of the API server", ct);
        foreach (var definition in CrdCatalog.All.SelectMany(ManifestReader.Read))
        {
            await Connection.SendAsync(HttpMethod.Patch, $"apis/apiextensions.k8s.io/v1/customresourcedefinitions/{definition["metadata"]!["name"]}?fieldManager=phi-chaos&force=true", JsonNode.Parse(definition.ToJsonString()), "application/apply-patch+yaml", ct);
        }

        for (var i = 0; i < nodes; i++)
        {
            var name = $"node-{i}";
            Nodes[name] = Part(name, "node", "--kubeconfig", Kubeconfig, "--home", Home, "--name", name, "--slots", $"{Slots}", "--stop-with-parent");
            Nodes[name].Start();
        }

        Operator.Start();
    }

    public async Task<TrainingJob?> JobAsync(string name, CancellationToken ct)
    {
        try
        {
            return await Connection.TrainingJobs().GetAsync(Namespace, name, ct);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            // The API server is down: a fault of this run.
            return null;
        }
    }

    /// <summary>Asks again until it is so.</summary>
    /// <exception cref="ChaosException">It never was.</exception>
    public async Task UntilAsync(Func<Task<bool>> isSo, string what, CancellationToken ct, TimeSpan? patience = null)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await isSo())
        {
            if (TimeProvider.System.GetElapsedTime(started) > (patience ?? Patience))
            {
                throw new ChaosException($"no {what} within {(patience ?? Patience).TotalSeconds:0} s\n{Evidence()}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), ct);
        }
    }

    public async Task<bool> IsServingAsync()
    {
        try
        {
            await Connection.SendAsync(HttpMethod.Get, "version", null, "application/json", CancellationToken.None);
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>The ends of all logs.</summary>
    public string Evidence() => string.Join('\n', Directory.EnumerateFiles(Path.Combine(Home, "logs")).Order(StringComparer.Ordinal).Select(file => $"--- {Path.GetFileName(file)}\n{string.Join('\n', File.ReadLines(file).TakeLast(25))}"));

    public async ValueTask DisposeAsync()
    {
        // Nodes first: their pods end, and are told to have.
        await Task.WhenAll(Nodes.Values.Select(node => node.DisposeAsync().AsTask()));
        await Operator.DisposeAsync();
        await ControlPlane.DisposeAsync();
        _connection?.Dispose();
    }

    private Component Part(string name, params string[] arguments) => new(name, _phi, arguments, _environment, Path.Combine(Home, "logs", $"{name}.log"));
}
