namespace Phi.Api.TrainingJobs;

public sealed class CheckpointSpec
{
    public CheckpointStoreSpec? Store { get; set; }
    /// <summary>Steps between saves, at least 1. Default 500. The last step is always saved.</summary>
    public long? EverySteps { get; set; }
    /// <summary>Minutes after which a save is due at the end of a step, counted from the save before, at least 1; whichever of this and everySteps comes first. Default none.</summary>
    public long? EveryMinutes { get; set; }
    /// <summary>Newest checkpoints kept, at least 1. Default 3.</summary>
    public int? KeepLast { get; set; }
    /// <summary>Checkpoints of every multiple of so many steps are kept for ever, beside the newest. Default: none.</summary>
    public long? KeepEvery { get; set; }
    /// <summary>Copies of every rank's shard in the memory of its pod and of the next one, so that a lost pod costs few steps. Default none.</summary>
    public InMemorySpec? InMemory { get; set; }
    /// <summary>Save when a pod is asked to leave. Default true.</summary>
    public bool? OnPreemption { get; set; }
}

/// <summary>Host memory for it, in each pod: four times the pod's part of the weights and moments (12 bytes a parameter, parted among the pods).</summary>
public sealed class InMemorySpec
{
    /// <summary>Steps between copies, at least 1. Default 10.</summary>
    public long? EverySteps { get; set; }
}

/// <summary>Exactly one. Null: folder with its default path.</summary>
public sealed class CheckpointStoreSpec
{
    public FolderStoreSpec? Folder { get; set; }
    public AzureBlobStoreSpec? AzureBlob { get; set; }
}

/// <summary>A folder that every pod sees. A relative path is resolved against the node's checkpoint root. Default NAMESPACE/NAME-UID8.</summary>
public sealed class FolderStoreSpec
{
    public string? Path { get; set; }
}

/// <summary>Blobs of one container. Written by the user; the operator hands the credential to the pods, whose ranks read and write there.</summary>
public sealed class AzureBlobStoreSpec
{
    /// <summary>Name of the storage account: 3 to 24 lower-case letters and digits.</summary>
    public string? Account { get; set; }
    /// <summary>Name of a container that exists: 3 to 63 lower-case letters, digits and single hyphens.</summary>
    public string? Container { get; set; }
    /// <summary>Names of all blobs begin so, with a slash behind it. Default: NAMESPACE/NAME-UID8 where a job saves, none where one begins.</summary>
    public string? Prefix { get; set; }
    /// <summary>Secret of the job's namespace with a connection string (of a key or a signature) under the key connectionString. Null: the workload identity of template.serviceAccountName.</summary>
    public string? SecretName { get; set; }
    /// <summary>Address of the account's blob service, for other clouds and emulators. Default https://ACCOUNT.blob.core.windows.net.</summary>
    public string? Endpoint { get; set; }

    /// <summary>Where the checkpoints lie, without any credential. Account and container must be there.</summary>
    public string ToAddress() => $"{(Endpoint ?? $"https://{Account}.blob.core.windows.net").TrimEnd('/')}/{Container}/{string.Join('/', (Prefix ?? "").Split('/').Select(Uri.EscapeDataString))}".TrimEnd('/');
}
