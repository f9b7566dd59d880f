using System.Collections.Immutable;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Phases;

/// <summary>Decisions and parts of decisions that every phase knows.</summary>
internal static class Steps
{
    public static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    public static JobDecision Fail(JobSnapshot snapshot, string reason, string message) => Finish(snapshot, TrainingPhase.Failed, reason, message) with { IsWarning = true };

    public static JobDecision Finish(JobSnapshot snapshot, string phase, string reason, string message) => new()
    {
        Actions = [],
        Status = new StatusBuilder(snapshot).Finish(phase, reason, message).Build(),
        Reason = reason,
        Message = message,
        RequeueAfter = TimeSpan.Zero,
    };

    public static ImmutableArray<JobAction> DeletePods(IEnumerable<PodSnapshot> pods) =>
        [.. pods.Where(pod => !pod.IsDeleting).Select(pod => new JobAction.DeletePod(pod.Name, pod.Uid, null))];

    /// <summary>What activeDeadlineSeconds leaves the job; null: it has no deadline, or has not started.</summary>
    public static TimeSpan? Deadline(JobSnapshot snapshot) =>
        snapshot.Job.Spec.ActiveDeadlineSeconds is { } seconds && snapshot.Status.StartTime is { } start ? start + Seconds(seconds) - snapshot.Now : null;

    /// <summary>A user's count of seconds; more than 68 years are 68.</summary>
    public static TimeSpan Seconds(long count) => TimeSpan.FromSeconds(Math.Min(count, int.MaxValue));

    public static JobDecision Nothing(string reason, string message) => new() { Actions = [], Reason = reason, Message = message };
}
