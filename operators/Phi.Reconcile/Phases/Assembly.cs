using System.Collections.Immutable;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;
using static Phi.Reconcile.Phases.Steps;

namespace Phi.Reconcile.Phases;

/// <summary>From a decision for an attempt to a gang on its nodes: whole, or not at all.</summary>
internal static class Assembly
{
    /// <summary>Brings the gang to its whole size: first every pod, gated; then a place for all of them at once.</summary>
    public static JobDecision Assemble(JobSnapshot snapshot)
    {
        if (RestartPolicy.Remaining(snapshot) is { Ticks: > 0 } wait)
        {
            var backingOff = $"waiting {wait.TotalSeconds:0.0#} s before attempt {snapshot.Attempt}";
            return new JobDecision { Actions = [], Status = new StatusBuilder(snapshot).Build(), Reason = "BackingOff", Message = backingOff, RequeueAfter = wait };
        }

        var ended = DeletePods(snapshot.Pods.Where(pod => pod.HasEnded));
        if (!ended.IsEmpty)
        {
            return new JobDecision { Actions = ended, Reason = "Replacing", Message = $"removing {ended.Length} pods that have ended", RequeueAfter = Soon };
        }

        var missing = Enumerable.Range(0, snapshot.Replicas).Where(index => !snapshot.Pods.Any(pod => pod.Index == index)).ToList();
        if (missing.Count > 0)
        {
            return new JobDecision
            {
                Actions = [.. missing.Select(index => new JobAction.CreatePod(index, PodName(snapshot, index), snapshot.Attempt))],
                Status = new StatusBuilder(snapshot).Build(),
                Reason = "CreatingPods",
                Message = $"creating {missing.Count} pods of {snapshot.Replicas}",
            };
        }

        if (snapshot.Pods.Any(pod => pod.IsDeleting))
        {
            return Nothing("Replacing", "waiting for a pod that is being deleted");
        }

        return Place(snapshot);
    }

    public static JobDecision Place(JobSnapshot snapshot)
    {
        if (!snapshot.Pods.Any(pod => pod.IsGated))
        {
            return Start(snapshot, [], "the gang is placed");
        }

        if (GangPlacement.Find(snapshot, out var why) is { } placements)
        {
            return Start(snapshot, [new JobAction.PlaceGang(placements)], why);
        }

        var status = new StatusBuilder(snapshot).Set(TrainingConditions.Admitted, false, "InsufficientCapacity", why);
        if (!Queueing.HasQueue(snapshot))
        {
            status.Set(TrainingConditions.QuotaReserved, false, "InsufficientCapacity", why);
        }

        return new JobDecision { Actions = [], Status = status.Build(), Reason = "InsufficientCapacity", Message = why, RequeueAfter = TimeSpan.FromSeconds(5) };
    }

    private static JobDecision Start(JobSnapshot snapshot, ImmutableArray<JobAction> actions, string why) => new()
    {
        Actions = actions,
        Status = new StatusBuilder(snapshot).Phase(TrainingPhase.Starting)
            .Set(TrainingConditions.QuotaReserved, true, "Placed", why).Set(TrainingConditions.Admitted, true, "Placed", why)
            .Set(TrainingConditions.Training, false, "Starting", $"attempt {snapshot.Attempt} is starting").Build(),
        Reason = "Placed",
        Message = why,
    };

    private static string PodName(JobSnapshot snapshot, int index) =>
        snapshot.Attempt <= 1 ? $"{snapshot.Job.Metadata.Name}-{index}" : $"{snapshot.Job.Metadata.Name}-a{snapshot.Attempt}-{index}";
}
