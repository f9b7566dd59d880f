namespace Phi.Cli.Cluster;

/// <summary>What of the machine decides which cluster is meant.</summary>
internal record Surroundings
{
    private const string ServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";

    public static Surroundings Real { get; } = new();

    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    public Func<string, bool> HasFile { get; init; } = File.Exists;

    /// <summary>Address of the local control plane that runs on the folder; null: none does.</summary>
    public Func<PhiHome, Uri?> Server { get; init; } = home => ClusterState.ReadRunning(home)?.Server;

    /// <summary>kubectl started this: <c>kubectl phi</c>.</summary>
    public bool IsPlugin => Variable(ClusterTarget.PluginVariable) is { Length: > 0 };

    public bool IsInPod => Variable("KUBERNETES_SERVICE_HOST") is { Length: > 0 } && HasFile($"{ServiceAccount}/token");

    public string UserKubeconfig => Path.Combine(Variable("HOME") ?? "/", ".kube", "config");

    public static string? PodNamespace() => File.Exists($"{ServiceAccount}/namespace") ? File.ReadAllText($"{ServiceAccount}/namespace").Trim() : null;

    public PhiHome PhiHome() => Cluster.PhiHome.Resolve(Variable(Cluster.PhiHome.Variable));
}
