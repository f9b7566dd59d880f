namespace Phi.Cli.Cluster;

/// <summary>The folder that holds everything a local control plane keeps: <c>--home</c>, else <c>$PHI_HOME</c>, else <c>~/.phi</c>.</summary>
public sealed class PhiHome
{
    public const string Variable = "PHI_HOME";

    private PhiHome(string root) => Root = root;

    public string Root { get; }
    public string Kubeconfig => Path.Combine(Root, "kubeconfig");
    public string ApiServerSocket => Path.Combine(Root, "api.sock");
    public string StateFile => Path.Combine(Root, "cluster.json");
    public string SettingsFile => Path.Combine(Root, "settings.json");
    public string LockFile => Path.Combine(Root, "cluster.lock");
    public string ApiServerData => Path.Combine(Root, "apiserver");
    public string OperatorState => Path.Combine(Root, "operator");
    public string TelemetryDatabase => Path.Combine(Root, "telemetry.db");
    public string Checkpoints => Path.Combine(Root, "checkpoints");
    public string DataCache => Path.Combine(Root, "data");
    public string DashboardAddress => Path.Combine(Root, "dashboard.url");

    /// <summary>With which a part of the cluster reaches the API server: as its own service account.</summary>
    public string KubeconfigOf(string component) => Path.Combine(Root, component + ".kubeconfig");

    public string Log(string component) => Path.Combine(Root, "logs", component + ".log");

    public string NodeState(string node) => Path.Combine(Root, "nodes", node);

    public static PhiHome Resolve(string? option)
    {
        var chosen = option
            ?? (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } set ? set : null)
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".phi");
        return new PhiHome(Path.GetFullPath(chosen));
    }

    /// <summary>Makes the folders; only the owner may read them, for they hold tokens.</summary>
    public void Create()
    {
        const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        foreach (var folder in new[] { Root, ApiServerData, OperatorState, Checkpoints, DataCache, Path.Combine(Root, "logs") })
        {
            Directory.CreateDirectory(folder, ownerOnly);
        }
    }
}
