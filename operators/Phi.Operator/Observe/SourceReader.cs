using Phi.Api.TrainingJobs;
using Phi.Reconcile.Snapshots;

namespace Phi.Operator.Observe;

/// <summary>A job as one sees it that is to begin with its checkpoint.</summary>
internal static class SourceReader
{
    public static SourceSnapshot Read(TrainingJob source) => new(
        source.Status?.Phase ?? TrainingPhase.Pending, FinishedJob.Is(source), source.Spec.Phi is null, source.Status?.Checkpoint?.Step, source.Status?.Checkpoint?.Uri,
        source.Spec.Checkpoint?.Store?.AzureBlob?.SecretName);
}
