using System.Collections.Immutable;
using Phi.Api.TrainingJobs;

namespace Phi.Reconcile.Cron;

/// <summary>Finished jobs beyond what the history limits keep, the oldest first.</summary>
internal static class CronHistory
{
    private const int SuccessfulDefault = 3;
    private const int FailedDefault = 1;

    public static ImmutableArray<CronAction> Surplus(CronSnapshot snapshot) =>
    [
        .. Surplus(snapshot, TrainingPhase.Succeeded, "successfulJobsHistoryLimit", snapshot.Cron.Spec.SuccessfulJobsHistoryLimit ?? SuccessfulDefault),
        .. Surplus(snapshot, TrainingPhase.Failed, "failedJobsHistoryLimit", snapshot.Cron.Spec.FailedJobsHistoryLimit ?? FailedDefault),
    ];

    private static IEnumerable<CronAction> Surplus(CronSnapshot snapshot, string phase, string field, int limit) => snapshot.Jobs
        .Where(job => job.Status?.Phase == phase && job.Metadata.DeletionTimestamp is null)
        .OrderBy(job => job.Metadata.CreationTimestamp).ThenBy(job => job.Metadata.Name, StringComparer.Ordinal)
        .SkipLast(limit)
        .Select(job => new CronAction.DeleteJob(job.Metadata.Name!, job.Metadata.Uid!, $"{field} keeps {limit}"));
}
