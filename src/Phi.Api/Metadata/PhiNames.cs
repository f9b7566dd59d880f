namespace Phi.Api.Metadata;

/// <summary>Names that appear on the wire: API group, labels, annotations, gates, resources, field managers.</summary>
public static class PhiNames
{
    public const string Group = "phi-orchestrator.io";
    public const string Version = "v1alpha1";
    public const string ApiVersion = Group + "/" + Version;

    /// <summary>Scheduling gate of every gang pod; the operator removes it when the whole gang is placed.</summary>
    public const string GangGate = Group + "/gang";

    /// <summary>Finalizer of a TrainingJob; removed when no pod of the job is left.</summary>
    public const string JobFinalizer = Group + "/job-cleanup";

    public const string JobNameLabel = Group + "/job-name";
    public const string JobUidLabel = Group + "/job-uid";
    public const string ReplicaIndexLabel = Group + "/replica-index";
    public const string AcceleratorTypeLabel = Group + "/accelerator-type";
    public const string ManagedByLabel = "app.kubernetes.io/managed-by";
    public const string HostnameLabel = "kubernetes.io/hostname";

    /// <summary>Topology domains, as labels of nodes.</summary>
    public const string NvlinkDomainLabel = Group + "/nvlink-domain";
    public const string RackLabel = "topology.kubernetes.io/rack";
    public const string ZoneLabel = "topology.kubernetes.io/zone";

    /// <summary>A job with this label is queued by Kueue, which sets spec.suspend.</summary>
    public const string KueueQueueLabel = "kueue.x-k8s.io/queue-name";

    /// <summary>How long a job runs under an operator that simulates execution, such as 200ms.</summary>
    public const string SimulatedRuntimeAnnotation = Group + "/simulated-runtime";

    /// <summary>CronTrainingJob that created a job, and the time it was due, in seconds since 1970.</summary>
    public const string CronNameLabel = Group + "/cron-name";
    public const string ScheduledTimeAnnotation = Group + "/scheduled-time";

    /// <summary>spec.managedBy of a job that is this operator's, beside none.</summary>
    public const string Manager = Group + "/operator";

    /// <summary>Attempt at which a pod was created.</summary>
    public const string AttemptAnnotation = Group + "/attempt";

    /// <summary>Pods of the gang that a pod was created for.</summary>
    public const string GangSizeAnnotation = Group + "/gang-size";

    /// <summary>Of a job's pod: the authority of its operator's certificates, in PEM. Public, and so needs no ConfigMap in each namespace.</summary>
    public const string AuthorityAnnotation = Group + "/operator-ca";

    /// <summary>Lease of an operator's replica: the label marks it, the annotation has the URL of its agent API.</summary>
    public const string ReplicaLabel = Group + "/operator-replica";
    public const string AgentUrlAnnotation = Group + "/agent-url";

    /// <summary>Extended resource that counts CPU slots of a node; one per rank.</summary>
    public const string CpuSlotResource = Group + "/cpu";
    public const string GpuResource = "nvidia.com/gpu";

    public const string OperatorFieldManager = "phi-operator";
    public const string ProgressFieldManager = "phi-progress";

    public const string TrainerContainer = "trainer";

    /// <summary>Volume of a trainer pod for events that the operator has not taken yet.</summary>
    public const string EventVolume = "phi-events";

    /// <summary>Sidecar of a container job's pod that reads the program's progress file.</summary>
    public const string ProgressContainer = "phi-progress";
    public const int DefaultMasterPort = 29500;
}
