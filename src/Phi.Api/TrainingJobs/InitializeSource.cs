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
        { AzureBlob: { Account: { } account, Container: { } container } blob } => $"https://{account}.blob.core.windows.net/{container}/{blob.Prefix?.Trim('/')}".TrimEnd('/'),
        _ => null,
    };
}
