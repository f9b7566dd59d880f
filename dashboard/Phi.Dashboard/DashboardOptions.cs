using System.Net;

namespace Phi.Dashboard;

/// <summary>Settings of the dashboard.</summary>
public sealed class DashboardOptions
{
    /// <summary>Null: the service account of the pod that the dashboard runs in.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>Namespaces whose jobs and schedules are shown; none: all.</summary>
    public IReadOnlyList<string> WatchNamespaces { get; init; } = [];

    /// <summary>Namespace of the Secret that holds the keys of sessions. Default: that of the dashboard's pod, else kube-system.</summary>
    public string? Namespace { get; init; }

    /// <summary>Telemetry store: a SQLite file, or the address of a PostgreSQL database.</summary>
    public required string TelemetryDatabase { get; init; }

    /// <summary>Whoever knows it is an admin: opens /?token=TOKEN, or sends it as bearer. Null: nobody signs in that way.</summary>
    public string? Token { get; init; }

    /// <summary>Null: nobody signs in by a provider.</summary>
    public OidcOptions? Oidc { get; init; }

    /// <summary>How long a session lasts; then its pages ask to sign in again.</summary>
    public TimeSpan Session { get; init; } = TimeSpan.FromDays(7);

    public IPAddress BindAddress { get; init; } = IPAddress.Loopback;

    /// <summary>0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>File that receives the URL once the dashboard answers.</summary>
    public string? AddressFile { get; init; }
}
