namespace Phi.Dashboard;

/// <summary>Settings of the dashboard.</summary>
public sealed class DashboardOptions
{
    /// <summary>Null: the service account of the pod that the dashboard runs in.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>Telemetry store: a SQLite file, or the address of a PostgreSQL database.</summary>
    public required string TelemetryDatabase { get; init; }

    /// <summary>Whoever opens /?token=TOKEN is signed in.</summary>
    public required string Token { get; init; }

    /// <summary>Port on 127.0.0.1; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>File that receives the URL once the dashboard answers.</summary>
    public string? AddressFile { get; init; }
}
