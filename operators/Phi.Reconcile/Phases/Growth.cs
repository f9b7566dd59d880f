using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;
using static Phi.Reconcile.Phases.Steps;

namespace Phi.Reconcile.Phases;

/// <summary>
/// An elastic job that runs with fewer pods than it may have grows when there is room: its ranks are asked to save and leave at a step
/// boundary, so that no step is lost, and the next attempt has more pods. Each rank leaves by itself; nothing is killed.
/// </summary>
internal static class Growth
{
    /// <summary>Saving on request is off: then only right after a checkpoint, when the least is lost.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    /// <summary>Asks the ranks of a running attempt to leave, if a larger one would be placed now, and waits for them; else null.</summary>
    public static JobDecision? Ask(JobSnapshot snapshot)
    {
        if (Asked(snapshot) is { } asked)
        {
            return new JobDecision { Actions = [], Status = new StatusBuilder(snapshot).Build(), Reason = "Growing", Message = asked.Message!, RequeueAfter = Soon };
        }

        if (snapshot.Status.Phase != TrainingPhase.Running || snapshot.Replicas >= ElasticSize.Target(snapshot) || !IsTime(snapshot)
            || ElasticSize.Largest(snapshot, snapshot.Replicas + 1, ElasticSize.Target(snapshot)) is not { } size)
        {
            return null;
        }

        var why = $"there is room for {size} of {ElasticSize.Target(snapshot)} pods: attempt {snapshot.Attempt} with {snapshot.Replicas} saves and leaves";
        return new JobDecision
        {
            Actions = snapshot.Job.Spec.Container is null ? [] : DeletePods(snapshot.Pods),
            Status = new StatusBuilder(snapshot).Set(TrainingConditions.Resizing, true, "Growing", why).Build(),
            Reason = "Growing",
            Message = why,
        };
    }

    /// <summary>What the end of an attempt means that was asked to leave: nothing until all pods have ended, then a free restart.</summary>
    public static JobDecision? End(JobSnapshot snapshot, AttemptFailure failure)
    {
        // Pods of a program of the user's own are deleted: they leave as disrupted ones do.
        var expected = snapshot.Job.Spec.Container is null ? "SavedAndLeft" : "PodDeleted";
        if (Asked(snapshot) is null || failure.IsCharged || failure.IsFatal || failure.Reason != expected)
        {
            return null;
        }

        var left = snapshot.Pods.Count(pod => !pod.HasEnded);
        return left > 0
            ? new JobDecision { Actions = [], Reason = "Growing", Message = $"waiting for {left} of {PlacementReasons.Count(snapshot.Replicas, "pod")} to save and leave", RequeueAfter = Soon }
            : Attempts.Next(snapshot, new AttemptFailure(false, false, "Growing", "the ranks saved and left for a larger gang"), DeletePods(snapshot.Pods));
    }

    private static Condition? Asked(JobSnapshot snapshot) => snapshot.Status.Conditions?.Find(condition => condition is { Type: TrainingConditions.Resizing, Status: "True" });

    /// <summary>At a checkpoint that was committed after the attempt had run for a while.</summary>
    private static bool IsTime(JobSnapshot snapshot) =>
        snapshot.Status.Conditions?.Find(condition => condition is { Type: TrainingConditions.Training, Status: "True" })?.LastTransitionTime is { } since
        && snapshot.Status.Checkpoint?.Time is { } saved
        && saved >= since + ElasticSize.GrowthPatience
        && (snapshot.Job.Spec.Checkpoint!.OnPreemption == true || snapshot.Now - saved <= Fresh);
}
