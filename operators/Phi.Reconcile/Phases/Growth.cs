using System.Collections.Immutable;
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
            return new JobDecision { Actions = Deletions(snapshot), Status = new StatusBuilder(snapshot).Build(), Reason = "Growing", Message = asked.Message!, RequeueAfter = Soon };
        }

        if (snapshot.Status.Phase != TrainingPhase.Running || snapshot.Replicas >= ElasticSize.Target(snapshot) || !IsTime(snapshot)
            || ElasticSize.Largest(snapshot, snapshot.Replicas + 1, ElasticSize.Target(snapshot)) is not { } size)
        {
            return null;
        }

        var why = $"there is room for {size} of {ElasticSize.Target(snapshot)} pods: attempt {snapshot.Attempt} with {snapshot.Replicas} saves and leaves";
        return new JobDecision
        {
            Actions = Deletions(snapshot),
            Status = new StatusBuilder(snapshot).Set(TrainingConditions.Resizing, true, "Growing", why).Build(),
            Reason = "Growing",
            Message = why,
            RequeueAfter = Soon,
        };
    }

    /// <summary>What the end of an attempt means that was asked to leave: nothing until all pods have ended or fell silent, then a free restart.</summary>
    public static JobDecision? End(GangView gang, AttemptFailure failure)
    {
        // Pods of a program of the user's own are deleted: they leave as disrupted ones do.
        var snapshot = gang.Snapshot;
        var expected = snapshot.HasAgents ? "SavedAndLeft" : "PodDeleted";
        if (Asked(snapshot) is null || failure.IsCharged || failure.IsFatal || failure.Reason != expected)
        {
            return null;
        }

        var left = gang.Members.Count(member => member is { Pod.HasEnded: false, IsSilent: false, IsLost: false });
        return left > 0
            ? new JobDecision { Actions = Deletions(snapshot), Reason = "Growing", Message = $"waiting for {left} of {PlacementReasons.Count(snapshot.Replicas, "pod")} to save and leave", RequeueAfter = Soon }
            : Attempts.Next(snapshot, new AttemptFailure(false, false, "Growing", "the ranks saved and left for a larger gang"), DeletePods(snapshot.Pods));
    }

    /// <summary>A program of the user's own has no agent that asks it. Decided anew each time, so that a pod that could not be deleted is tried again.</summary>
    private static ImmutableArray<JobAction> Deletions(JobSnapshot snapshot) => snapshot.HasAgents ? [] : DeletePods(snapshot.Pods.Where(pod => !pod.HasEnded));

    private static Condition? Asked(JobSnapshot snapshot) => snapshot.Status.Conditions?.Find(condition => condition is { Type: TrainingConditions.Resizing, Status: "True" });

    /// <summary>At a checkpoint that was committed after the attempt had run for a while.</summary>
    private static bool IsTime(JobSnapshot snapshot) =>
        snapshot.Status.Conditions?.Find(condition => condition is { Type: TrainingConditions.Training, Status: "True" })?.LastTransitionTime is { } since
        && snapshot.Status.Checkpoint?.Time is { } saved
        && saved >= since + ElasticSize.GrowthPatience
        && (snapshot.Job.Spec.Checkpoint!.OnPreemption == true || snapshot.Now - saved <= Fresh);
}
