namespace Phi.Api.TrainingJobs;

/// <summary>Where the checkpoint lies that a job begins with.</summary>
public static class InitializeSource
{
    /// <summary>Whether the job still waits to be told where the checkpoints of the job are that it begins with.</summary>
    public static bool IsAwaited(TrainingJob job) => job is { Spec.Phi.Initialize.From.Job: not null, Status: null or { InitializedFrom: null, Attempt: null or 0 } };

    /// <summary>Folder or address of the checkpoints, a relative folder below the nodes' checkpoint root; null: nothing is to be loaded, or the place is not known.</summary>
    public static string? Location(TrainingJobSpec spec, TrainingJobStatus? status) => spec.Phi?.Initialize?.From switch
    {
        { Job: not null } => status?.InitializedFrom?.Uri,
        { Folder.Path: { } path } => path,
        { AzureBlob: { Account: not null, Container: not null } blob } => blob.ToAddress(),
        _ => null,
    };

    /// <summary>Whether what is to be loaded lies in a blob service.</summary>
    public static bool IsBlob(TrainingJobSpec spec, TrainingJobStatus? status) => Location(spec, status)?.StartsWith("http", StringComparison.Ordinal) == true;

    /// <summary>Secret of the job's namespace with the source's connection string; null: it is read with what the pods have.</summary>
    public static string? SecretName(TrainingJobSpec spec, TrainingJobStatus? status) => spec.Phi?.Initialize?.From switch
    {
        { Job: not null } => status?.InitializedFrom?.SecretName,
        { AzureBlob: { } blob } => blob.SecretName,
        _ => null,
    };

    /// <summary>Field of the spec that names it.</summary>
    public static string Field(TrainingJobSpec spec) => spec.Phi?.Initialize?.From switch
    {
        { Job: not null } => "spec.phi.initialize.from.job",
        { AzureBlob: not null } => "spec.phi.initialize.from.azureBlob",
        _ => "spec.phi.initialize.from.folder.path",
    };
}
