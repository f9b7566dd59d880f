using System.Net;

namespace Phi.Operator;

/// <summary>Settings of the operator.</summary>
public sealed class OperatorOptions
{
    /// <summary>Of jobs that name no image.</summary>
    public const string DefaultTrainerImage = "phi-trainer:latest";

    /// <summary>Null: the service account of the pod that the operator runs in.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>Namespaces whose jobs and schedules are this operator's; none: all. Operators of one cluster must not share any, nor a telemetry store.</summary>
    public IReadOnlyList<string> WatchNamespaces { get; init; } = [];

    /// <summary>Image of the built-in trainer, for jobs that name none. Default: phi-trainer:latest.</summary>
    public string TrainerImage { get; init; } = DefaultTrainerImage;

    /// <summary>Folder for the agent API's port, secret and authority.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>Telemetry store: a SQLite file, or the address of a PostgreSQL database. Replicas share it.</summary>
    public required string TelemetryDatabase { get; init; }

    /// <summary>How long a run stays in the telemetry store after its last activity, once its job is gone, and an audit entry. 0: for ever. Default: 90 days.</summary>
    public TimeSpan TelemetryRetention { get; init; } = TimeSpan.FromDays(90);

    /// <summary>Folder that holds the jobs' checkpoints, if this machine sees it: what attempts of ended jobs never committed is removed from there. Null: nothing is.</summary>
    public string? CheckpointRoot { get; init; }

    /// <summary>Address that the agent API and the health endpoints listen on. Default: 127.0.0.1.</summary>
    public IPAddress BindAddress { get; init; } = IPAddress.Loopback;

    /// <summary>Port of the agent API. 0: the one that was used before, else a free one.</summary>
    public int AgentApiPort { get; init; }

    /// <summary>Jobs get quota but no pods, and end when the time in their annotation is over; to measure the control plane. Default false.</summary>
    public bool SimulateExecution { get; init; }

    /// <summary>Certificate of the agent API with those between it and its authority, in PEM; read again when it changes. Null: the operator has an authority of its own.</summary>
    public string? TlsCertificateFile { get; init; }

    /// <summary>Its key. Given with <see cref="TlsCertificateFile"/>, and only then.</summary>
    public string? TlsKeyFile { get; init; }

    /// <summary>Its authority, which new pods trust. Null: the file of the certificate, which then holds it.</summary>
    public string? TlsAuthorityFile { get; init; }

    /// <summary>Base URL under which new pods look for the agent API, such as a Service's name. Null: <see cref="PeerUrl"/>.</summary>
    public Uri? AgentUrl { get; init; }

    /// <summary>Base URL under which other replicas and agents reach this very replica. Null: the bound address, or the machine's if bound to all.</summary>
    public Uri? PeerUrl { get; init; }

    /// <summary>Port of <c>/healthz</c>, <c>/readyz</c> and <c>/metrics</c>; 0: a free one, told in the log. Null: none are served. Default: null.</summary>
    public int? HealthPort { get; init; }

    /// <summary>Of several replicas only the one that holds a Lease acts. False: this operator has no rival. Default: true.</summary>
    public bool LeaderElect { get; init; } = true;

    /// <summary>Namespace of the Leases and of the operator's Secrets. Default: that of the operator's pod, else kube-system.</summary>
    public string? LeaseNamespace { get; init; }

    /// <summary>This replica's name among all, a DNS label of at most 40 characters. Whoever comes back under a name takes over what it held, so no two may run under one. Default: the host's name and eight random digits.</summary>
    public string? Identity { get; init; }
}
