using System.Text.Json.Nodes;

namespace Phi.Api.TrainingJobs;

/// <summary>What the user asks for. Written by the user; read by the operator. Null means the documented default.</summary>
public sealed class TrainingJobSpec
{
    /// <summary>TrainingQueue that admits the job. Null: admitted as soon as the gang fits. Not beside the label kueue.x-k8s.io/queue-name: Kueue sets suspend.</summary>
    public string? Queue { get; set; }
    public string? PriorityClassName { get; set; }
    /// <summary>True ends the attempt after a checkpoint and holds the job. Default false.</summary>
    public bool? Suspend { get; set; }
    /// <summary>Another controller (a domain-prefixed path) that reconciles this job instead of the operator. Does not change.</summary>
    public string? ManagedBy { get; set; }
    public long? ActiveDeadlineSeconds { get; set; }
    public long? TtlSecondsAfterFinished { get; set; }
    /// <summary>Pods in the gang, 1 to 4096. Default 1.</summary>
    public int? Replicas { get; set; }
    /// <summary>
    /// Pods with which the job may also run, 1 to replicas, while there is no room for more; it grows at a checkpoint. The global batch stays the same at every
    /// size; it has to be divisible by micro × ranks for replicas alone. Default replicas.
    /// </summary>
    public int? MinReplicas { get; set; }
    public AcceleratorSpec? Accelerator { get; set; }
    public TopologySpec? Topology { get; set; }
    public PodTemplateSpec? Template { get; set; }
    /// <summary>The built-in trainer. Exactly one of phi and container.</summary>
    public PhiSpec? Phi { get; set; }
    public ContainerSpec? Container { get; set; }
    public ZeroSpec? Zero { get; set; }
    public CheckpointSpec? Checkpoint { get; set; }
    public RecoverySpec? Recovery { get; set; }
}

/// <summary>Type <c>cpu</c> counts slots; any other is a GPU product label value such as nvidia-a100-80gb.</summary>
public sealed class AcceleratorSpec
{
    public string? Type { get; set; }
    /// <summary>Accelerators, and so ranks, per pod, 1 to 64. Default 8.</summary>
    public int? PerReplica { get; set; }
}

/// <summary>Domains: nvlink-domain, rack, zone. At most one of the two.</summary>
public sealed class TopologySpec
{
    public string? Require { get; set; }
    public string? Prefer { get; set; }
}

/// <summary>Overrides of the gang's pods. Values are Kubernetes' own core/v1 shapes.</summary>
public sealed class PodTemplateSpec
{
    public string? Image { get; set; }
    public JsonObject? Resources { get; set; }
    public JsonArray? Env { get; set; }
    public JsonArray? Volumes { get; set; }
    public JsonArray? VolumeMounts { get; set; }
    public JsonArray? Tolerations { get; set; }
    public Dictionary<string, string>? NodeSelector { get; set; }
    public string? ServiceAccountName { get; set; }

    /// <summary>The pods' securityContext. Default: seccomp RuntimeDefault, and for phi jobs runAsNonRoot; a field given here replaces the default's.</summary>
    public JsonObject? PodSecurityContext { get; set; }

    /// <summary>The training container's securityContext. Default: no privilege escalation, no capabilities; a field given here replaces the default's.</summary>
    public JsonObject? SecurityContext { get; set; }
    public long? TerminationGracePeriodSeconds { get; set; }
}

/// <summary>Any image and command; the torchrun environment contract.</summary>
public sealed class ContainerSpec
{
    public string? Image { get; set; }
    public List<string>? Command { get; set; }
    public List<string>? Args { get; set; }
    public string? WorkingDir { get; set; }
    /// <summary>Pods whose PHI_PROGRESS_FILE a sidecar reads: FirstReplica, EveryReplica, or None for no file and no sidecar. Default FirstReplica.</summary>
    public string? ProgressFile { get; set; }
}
