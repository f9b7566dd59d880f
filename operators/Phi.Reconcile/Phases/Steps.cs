using System.Collections.Immutable;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Phases;

/// <summary>Decisions and parts of decisions that every phase knows.</summary>
internal static class Steps
{
    public static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    /// <param name="failure">What ended the attempt that runs, if it is another reason than the job's.</param>
    public static JobDecision Fail(JobSnapshot snapshot, string reason, string message, AttemptFailure? failure = null)
    {
        var builder = new StatusBuilder(snapshot);
        if (snapshot.Status.Phase is TrainingPhase.Starting or TrainingPhase.Running)
        {
            failure ??= new AttemptFailure(false, true, reason, message);
            builder.Interrupt(InterruptionPolicy.Describe(snapshot, failure), failure);
        }

        return Finish(builder, TrainingPhase.Failed, reason, message) with { IsWarning = true };
    }

    public static JobDecision Finish(JobSnapshot snapshot, string phase, string reason, string message) => Finish(new StatusBuilder(snapshot), phase, reason, message);

    private static JobDecision Finish(StatusBuilder builder, string phase, string reason, string message) => new()
    {
        Actions = [],
        Status = builder.Finish(phase, reason, message).Build(),
        Reason = reason,
        Message = message,
        RequeueAfter = TimeSpan.Zero,
    };

    /// <summary>The shortest of several waits; null if there is none.</summary>
    public static TimeSpan? Soonest(params ReadOnlySpan<TimeSpan?> waits)
    {
        TimeSpan? least = null;
        foreach (var wait in waits)
        {
            least = wait is { } given && !(least <= given) ? (given > TimeSpan.Zero ? given : TimeSpan.Zero) : least;
        }

        return least;
    }

    public static ImmutableArray<JobAction> DeletePods(IEnumerable<PodSnapshot> pods) =>
        [.. pods.Where(pod => !pod.IsDeleting).Select(pod => new JobAction.DeletePod(pod.Name, pod.Uid, null))];

    /// <summary>What activeDeadlineSeconds leaves the job; null: it has no deadline, or has not started.</summary>
    public static TimeSpan? Deadline(JobSnapshot snapshot) =>
        snapshot.Job.Spec.ActiveDeadlineSeconds is { } seconds && snapshot.Status.StartTime is { } start ? start + Seconds(seconds) - snapshot.Now : null;

    /// <summary>A user's count of seconds; more than 68 years are 68.</summary>
    public static TimeSpan Seconds(long count) => TimeSpan.FromSeconds(Math.Min(count, int.MaxValue));

    public static JobDecision Nothing(string reason, string message) => new() { Actions = [], Reason = reason, Message = message };
}
