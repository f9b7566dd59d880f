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

    /// <summary>Attempt at which a pod was created.</summary>
    public const string AttemptAnnotation = Group + "/attempt";

    /// <summary>Extended resource that counts CPU slots of a node; one per rank.</summary>
    public const string CpuSlotResource = Group + "/cpu";
    public const string GpuResource = "nvidia.com/gpu";

    public const string OperatorFieldManager = "phi-operator";
    public const string ProgressFieldManager = "phi-progress";

    public const string TrainerContainer = "trainer";
    public const int DefaultMasterPort = 29500;
}
