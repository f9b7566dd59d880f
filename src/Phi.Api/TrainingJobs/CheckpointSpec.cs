namespace Phi.Api.TrainingJobs;

public sealed class CheckpointSpec
{
    public CheckpointStoreSpec? Store { get; set; }
    /// <summary>Steps between saves, at least 1. Default 500. The last step is always saved.</summary>
    public long? EverySteps { get; set; }
    public long? EveryMinutes { get; set; }
    /// <summary>Newest checkpoints kept, at least 1. Default 3.</summary>
    public int? KeepLast { get; set; }
    /// <summary>Checkpoints of every multiple of so many steps are kept for ever, beside the newest. Default: none.</summary>
    public long? KeepEvery { get; set; }
    /// <summary>Save when a pod is asked to leave. Default true.</summary>
    public bool? OnPreemption { get; set; }
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

public sealed class AzureBlobStoreSpec
{
    public string? Account { get; set; }
    public string? Container { get; set; }
    public string? Prefix { get; set; }
    /// <summary>Secret with a connection string under the key connectionString. Null: workload identity.</summary>
    public string? SecretName { get; set; }
}
