using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;
using static Phi.Reconcile.Phases.Steps;

namespace Phi.Reconcile.Phases;

/// <summary>Beside every decision: pods that are being deleted and that nobody removes are taken away by force, once that is safe.</summary>
internal static class Fencing
{
    public static JobDecision Complete(JobSnapshot snapshot, JobDecision decision)
    {
        if (!snapshot.Pods.Any(pod => pod.IsDeleting))
        {
            return decision;
        }

        var gang = new GangView(snapshot);
        decision = decision with { RequeueAfter = Soonest(decision.RequeueAfter, LeavePolicy.Next(gang), SilencePolicy.Next(gang)) };
        var forced = ReplacementPolicy.Forced(gang);
        if (!IsFenced(snapshot) || forced.IsEmpty)
        {
            return decision;
        }

        var status = decision.Status ?? new StatusBuilder(snapshot).Build();
        status.ExcludedNodes = NodeExclusion.Update(snapshot, [.. status.ExcludedNodes ?? [], .. ReplacementPolicy.Silent(gang, forced)]);
        var first = forced[0];
        var why = first.Trouble?.Message ?? $"its agent has been silent for {first.Silence?.TotalSeconds ?? 0:0} s";
        var others = forced.Length > 1 ? $", and {forced.Length - 1} more like it" : "";
        return decision with
        {
            Actions = [.. decision.Actions.Where(action => action is not JobAction.DeletePod delete || forced.All(member => member.Pod.Uid != delete.Uid)), .. forced.Select(member => ReplacementPolicy.Delete(member, 0))],
            Status = status,
            Reason = "Fenced",
            Message = $"{first.Where} is removed by force: {why}, and the attempt that it ran is over{others}; {decision.Message}",
            IsWarning = true,
            RequeueAfter = Soon,
        };
    }

    /// <summary>Whether the attempt that the pods ran can no longer be assigned: its number is over, or the job takes none.</summary>
    private static bool IsFenced(JobSnapshot snapshot) =>
        snapshot.Status.Phase is not (TrainingPhase.Starting or TrainingPhase.Running) || snapshot.Job.Metadata.DeletionTimestamp is not null
        || snapshot.Job.Spec.Suspend == true || snapshot.Admission?.State == AdmissionState.Evicting;
}
