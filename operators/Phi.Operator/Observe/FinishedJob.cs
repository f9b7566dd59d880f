using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;

namespace Phi.Operator.Observe;

/// <summary>
/// What the caches keep of a job that has finished: finished jobs are many, and hardly anything happens to them. Whoever has to do something
/// about one reads it whole from the API server.
/// </summary>
internal static class FinishedJob
{
    public static bool Is(TrainingJob job) => job.Status?.Phase is TrainingPhase.Succeeded or TrainingPhase.Failed;

    /// <summary>The job itself until it has finished.</summary>
    public static TrainingJob Keep(TrainingJob job) => !Is(job) ? job : new TrainingJob
    {
        Metadata = new ObjectMeta
        {
            Name = job.Metadata.Name,
            Namespace = job.Metadata.Namespace,
            Uid = job.Metadata.Uid,
            ResourceVersion = job.Metadata.ResourceVersion,
            Generation = job.Metadata.Generation,
            CreationTimestamp = job.Metadata.CreationTimestamp,
            DeletionTimestamp = job.Metadata.DeletionTimestamp,
        },
        Spec = new TrainingJobSpec
        {
            ManagedBy = job.Spec.ManagedBy,
            Queue = job.Spec.Queue,
            TtlSecondsAfterFinished = job.Spec.TtlSecondsAfterFinished,
            // The total of its progress, which may still come.
            Phi = job.Spec.Phi is { } phi ? new PhiSpec { Steps = phi.Steps } : null,
            // Another job may begin with its checkpoint, and needs the key for that.
            Checkpoint = job.Spec.Checkpoint?.Store?.AzureBlob?.SecretName is { } secret ? new CheckpointSpec { Store = new CheckpointStoreSpec { AzureBlob = new AzureBlobStoreSpec { SecretName = secret } } } : null,
        },
        Status = new TrainingJobStatus
        {
            Phase = job.Status!.Phase,
            Attempt = job.Status.Attempt,
            CompletionTime = job.Status.CompletionTime,
            // Another job may begin with it.
            Checkpoint = job.Status.Checkpoint is { } checkpoint ? new CheckpointStatus { Step = checkpoint.Step, Uri = checkpoint.Uri } : null,
        },
    };
}
