namespace Phi.Api.Metadata;

/// <summary>Environment variables of a training pod and of its ranks.</summary>
public static class PhiEnvironment
{
    public const string OperatorUrl = "PHI_OPERATOR_URL";

    /// <summary>Path of the file with the pod's token for the operator (<see cref="Agent.AgentCredentials"/>). It changes: read it for each request.</summary>
    public const string AgentTokenFile = "PHI_AGENT_TOKEN_FILE";

    /// <summary>Path of the file with the authority that signs the operator's certificates, as <c>curl --cacert</c> takes it.</summary>
    public const string OperatorAuthorityFile = "PHI_OPERATOR_CA_FILE";

    /// <summary>A token that did not end, in pods that an operator up to 0.1 created; none gets it any more.</summary>
    public const string AgentToken = "PHI_AGENT_TOKEN";
    public const string Namespace = "PHI_NAMESPACE";
    public const string JobName = "PHI_JOB_NAME";
    public const string JobUid = "PHI_JOB_UID";
    public const string ReplicaIndex = "PHI_REPLICA_INDEX";
    public const string PodName = "PHI_POD_NAME";
    public const string PodUid = "PHI_POD_UID";
    public const string PodIp = "PHI_POD_IP";

    /// <summary>Whole seconds from SIGTERM to SIGKILL, as the pod's terminationGracePeriodSeconds.</summary>
    public const string GraceSeconds = "PHI_GRACE_SECONDS";

    /// <summary>Folder against which relative folder-store paths are resolved; set by the node.</summary>
    public const string CheckpointRoot = "PHI_CHECKPOINT_ROOT";

    /// <summary>Folder for packed token files, shared by the pods of a node; set by the node.</summary>
    public const string DataCache = "PHI_DATA_CACHE";

    /// <summary>Folder in the pod's memory for copies of shards; unset where the job keeps none.</summary>
    public const string ReplicaFolder = "PHI_REPLICA_FOLDER";

    /// <summary>Folder for events that the operator has not taken yet; a volume of the pod.</summary>
    public const string EventFolder = "PHI_EVENT_FOLDER";

    /// <summary>File whose appearance on the node announces that the machine is about to go; for clouds without a source of their own.</summary>
    public const string NoticeFile = "PHI_NOTICE_FILE";

    /// <summary>The Azure Instance Metadata Service, where it is not at its usual address.</summary>
    public const string AzureMetadataUrl = "PHI_AZURE_METADATA_URL";

    /// <summary>Number of a container job's attempt, from 1.</summary>
    public const string Attempt = "PHI_ATTEMPT";

    /// <summary>Connection string of an Azure Storage account, as Azure's own tools read it; set from the job's Secret.</summary>
    public const string AzureStorageConnectionString = "AZURE_STORAGE_CONNECTION_STRING";

    /// <summary>Shared access signature of an Azure Storage account, as Azure's own tools read it; a user may set it.</summary>
    public const string AzureStorageSasToken = "AZURE_STORAGE_SAS_TOKEN";

    /// <summary>Connection string for the checkpoint that a job begins with, where a Secret is named for it; the operator sets it.</summary>
    public const string InitializeConnectionString = "PHI_INITIALIZE_CONNECTION_STRING";

    /// <summary>Where a container job's checkpoints lie: a folder, absolute or relative to <see cref="CheckpointRoot"/>, or the address of blobs.</summary>
    public const string CheckpointPath = "PHI_CHECKPOINT_PATH";

    /// <summary>URL to which a container's program posts its progress (<see cref="Agent.ContainerProgress"/>), with the content of <see cref="AgentTokenFile"/> as bearer.</summary>
    public const string ProgressUrl = "PHI_PROGRESS_URL";

    /// <summary>File to which a container's program appends its progress, one line of JSON a step (<see cref="Agent.ContainerProgress"/>).</summary>
    public const string ProgressFile = "PHI_PROGRESS_FILE";

    /// <summary>Path of the mounted DeepSpeed configuration of a container job with a <c>zero</c> section.</summary>
    public const string DeepSpeedConfig = "PHI_DEEPSPEED_CONFIG";

    public const string MasterAddress = "MASTER_ADDR";
    public const string MasterPort = "MASTER_PORT";
    public const string WorldSize = "WORLD_SIZE";
    public const string Rank = "RANK";
    public const string LocalRank = "LOCAL_RANK";
    public const string LocalWorldSize = "LOCAL_WORLD_SIZE";
    public const string NodeRank = "NODE_RANK";
    public const string NodeCount = "NNODES";
}
