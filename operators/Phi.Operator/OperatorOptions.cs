namespace Phi.Operator;

/// <summary>Settings of the operator.</summary>
public sealed class OperatorOptions
{
    /// <summary>Null: the service account of the pod that the operator runs in.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>Folder for the agent API's port and the secret of its tokens.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>SQLite file of the telemetry store.</summary>
    public required string TelemetryDatabase { get; init; }

    /// <summary>Port of the agent API on 127.0.0.1. 0: the one that was used before, else a free one.</summary>
    public int AgentApiPort { get; init; }

    /// <summary>Jobs get quota but no pods, and end when the time in their annotation is over; to measure the control plane. Default false.</summary>
    public bool SimulateExecution { get; init; }
}
