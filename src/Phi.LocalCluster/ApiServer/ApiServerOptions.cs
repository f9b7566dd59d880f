namespace Phi.LocalCluster.ApiServer;

/// <summary>Settings of the embedded API server.</summary>
public sealed class ApiServerOptions
{
    /// <summary>Folder of the journal and the snapshot.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Port on 127.0.0.1; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>The bearer token of a member of system:masters, who may do everything; service accounts have tokens of their own.</summary>
    public required string AdminToken { get; init; }

    /// <summary>Where the kubeconfig is written, readable by its owner alone.</summary>
    public string? KubeconfigPath { get; init; }

    /// <summary>
    /// A Unix domain socket beside the port: the same server without TLS, for programs of the owner of its folder, who alone may reach it. Null, or
    /// a path longer than a socket's may be: none.
    /// </summary>
    public string? SocketPath { get; init; }

    /// <summary>
    /// How long a node may neither renew its lease nor post its status before it becomes unknown and is tainted; a node renews every
    /// 10 s. kube-controller-manager's --node-monitor-grace-period. Default 40 s.
    /// </summary>
    public TimeSpan NodeMonitorGracePeriod { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>File to which a line of every request is added; kube-apiserver's --audit-log-path. Default: none.</summary>
    public string? AuditLogPath { get; init; }

    /// <summary>CustomResourceDefinitions (YAML) applied before the first request.</summary>
    public IReadOnlyList<string> CrdManifests { get; init; } = [];
}
