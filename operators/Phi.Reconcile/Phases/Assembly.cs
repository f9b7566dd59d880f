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
    /// <summary>How often a waiting gang looks again when nothing tells it of a change.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(10);

    /// <summary>Brings the gang to its size: first every pod, gated; then a place for all of them at once.</summary>
    public static JobDecision Assemble(JobSnapshot snapshot)
    {
        var ended = DeletePods(snapshot.Pods.Where(pod => pod.HasEnded || snapshot.IsSuperseded(pod)));
        if (!ended.IsEmpty)
        {
            return new JobDecision { Actions = ended, Reason = "Replacing", Message = $"removing {ended.Length} pods of the attempt that has ended", RequeueAfter = Soon };
        }

        if (RestartPolicy.Remaining(snapshot) is { Ticks: > 0 } wait)
        {
            var backingOff = $"waiting {wait.TotalSeconds:0.0#} s before attempt {snapshot.Attempt}";
            return new JobDecision { Actions = [], Status = new StatusBuilder(snapshot).Build(), Reason = "BackingOff", Message = backingOff, RequeueAfter = wait };
        }

        if (RequeuePolicy.Remaining(snapshot) is { } left)
        {
            var requeued = RequeuePolicy.Words(snapshot);
            return new JobDecision { Actions = [], Status = Waiting(snapshot, "BackingOff", requeued).Build(), Reason = "BackingOff", Message = requeued, RequeueAfter = left };
        }

        if (ElasticSize.Want(snapshot) is var size && size != snapshot.Replicas)
        {
            return Resize(snapshot, size);
        }

        var misfits = DeletePods(snapshot.Pods.Where(pod => IsMisfit(snapshot, pod, snapshot.Replicas)));
        if (!misfits.IsEmpty)
        {
            return new JobDecision { Actions = misfits, Reason = "Replacing", Message = $"removing {PlacementReasons.Count(misfits.Length, "pod")} with no part in a gang of {snapshot.Replicas}", RequeueAfter = Soon };
        }

        var missing = Enumerable.Range(0, snapshot.Replicas).Where(index => !snapshot.Pods.Any(pod => pod.Index == index)).ToList();
        if (missing.Count > 0)
        {
            return Create(snapshot, missing);
        }

        return snapshot.Pods.Any(pod => pod.IsDeleting) ? Nothing("Replacing", "waiting for a pod that is being deleted") : Place(snapshot);
    }

    /// <summary>Whether some pods of a gang that was placed still have to be opened: then that is made good, or the gang is withdrawn.</summary>
    public static JobDecision? Complete(JobSnapshot snapshot)
    {
        if (!snapshot.Pods.Any(pod => pod is { IsGated: true, IsLive: true }))
        {
            return null;
        }

        if (!Enumerable.Range(0, snapshot.Replicas).SequenceEqual(snapshot.Pods.Where(pod => pod.IsLive).Select(pod => pod.Index).Order()))
        {
            return Withdrawal.Withdraw(snapshot, "WithdrawnIncomplete", $"{snapshot.Pods.Count(pod => pod.IsLive)} of {snapshot.Replicas} pods were left before all were placed", []);
        }

        var found = GangPlacement.Find(snapshot);
        return found.Placements is { } placements
            ? Start(snapshot, [new JobAction.PlaceGang(placements)], found.Why)
            : Withdrawal.Withdraw(snapshot, "WithdrawnNoRoom", found.Why, []);
    }

    private static JobDecision Create(JobSnapshot snapshot, List<int> missing)
    {
        var creating = $"creating {PlacementReasons.Count(missing.Count, "pod")} of {snapshot.Replicas}";
        var decision = new JobDecision
        {
            // With the pods, so that it is tried again until they are there.
            Actions = [new JobAction.EnsureService(), .. missing.Select(index => new JobAction.CreatePod(index, PodName(snapshot, index), snapshot.Attempt))],
            Status = new StatusBuilder(snapshot).Set(TrainingConditions.Placed, false, "CreatingPods", creating).Build(),
            Reason = "CreatingPods",
            Message = creating,
        };
        if (snapshot.CreationRefusal is not { } refusal)
        {
            return decision;
        }

        var why = $"{creating} is refused by the API server ({refusal.TrimEnd('.')}); it is tried again";
        return decision with { Status = Waiting(snapshot, "FailedCreate", why).Build(), Reason = "FailedCreate", Message = why, IsWarning = true };
    }

    private static JobDecision Place(JobSnapshot snapshot)
    {
        if (!snapshot.Pods.Any(pod => pod.IsGated))
        {
            return Start(snapshot, [], "the gang is placed");
        }

        var found = GangPlacement.Find(snapshot);
        if (found.Placements is { } placements)
        {
            return Start(snapshot, [new JobAction.PlaceGang(placements)], found.Why);
        }

        if (found.MovesAll || Yields(snapshot))
        {
            // Pins cannot be changed, and pods not moved: new ones take their indices.
            var why = found.MovesAll ? found.Why : $"{found.Why}; the pods that have a place give it up";
            return new JobDecision
            {
                Actions = DeletePods(snapshot.Pods.Where(pod => pod.Place is not null)),
                Status = Waiting(snapshot, found.MovesAll ? "Moving" : "Yielding", why).Build(),
                Reason = found.MovesAll ? "Moving" : "Yielding",
                Message = why,
                RequeueAfter = Soon,
            };
        }

        var patience = ElasticSize.Waits(snapshot);
        return new JobDecision
        {
            Actions = [],
            Status = Waiting(snapshot, "InsufficientCapacity", found.Why).Build(),
            Reason = "InsufficientCapacity",
            Message = found.Why,
            RequeueAfter = patience > TimeSpan.Zero && patience < LookAgain ? patience : LookAgain,
        };
    }

    /// <summary>
    /// Two gangs that each keep a part and wait for the rest would wait for ever: after as long as a bind may take, the one behind lets go.
    /// </summary>
    private static bool Yields(JobSnapshot snapshot) =>
        snapshot.Ahead is not null
        && snapshot.Pods.Any(pod => pod.Place is not null)
        && snapshot.Status.Conditions?.Find(condition => condition is { Type: TrainingConditions.Placed, Status: "False" })?.LastTransitionTime is { } since
        && snapshot.Now - since >= Withdrawal.BindTimeout(snapshot);

    private static JobDecision Resize(JobSnapshot snapshot, int size)
    {
        var (target, least) = (ElasticSize.Target(snapshot), ElasticSize.Least(snapshot));
        var why = size == target ? $"attempt {snapshot.Attempt} has all of {PlacementReasons.Count(size, "pod")}" : $"attempt {snapshot.Attempt} has {size} of {target} pods (minReplicas is {least}): {PlacementReasons.WhyNot(snapshot, target)}";
        return new JobDecision
        {
            Actions = DeletePods(snapshot.Pods.Where(pod => IsMisfit(snapshot, pod, size))),
            Status = Waiting(snapshot, "Resized", why).Size(size).Build(),
            Reason = "Resized",
            Message = why,
            RequeueAfter = TimeSpan.Zero,
        };
    }

    /// <summary>
    /// A pod that has no part in a gang of that size: its index is beyond, it was created for another size and has not run, or it was left over
    /// when a gang was withdrawn. A program of the user's own reads the size from its environment, so its pods are of one size for good.
    /// </summary>
    private static bool IsMisfit(JobSnapshot snapshot, PodSnapshot pod, int size) =>
        pod.IsLive && (pod.Index >= size
            || (pod.GangSize is { } created && created != size && (pod.IsGated || snapshot.Job.Spec.Container is not null))
            || pod is { IsGated: false, Node: null });

    private static StatusBuilder Waiting(JobSnapshot snapshot, string reason, string why)
    {
        var builder = new StatusBuilder(snapshot).Set(TrainingConditions.Placed, false, reason, why);
        // With a queue the quota is its own matter.
        builder.Set(TrainingConditions.Admitted, false, reason, why);
        return Queueing.HasQueue(snapshot) ? builder : builder.Set(TrainingConditions.QuotaReserved, false, reason, why);
    }

    private static JobDecision Start(JobSnapshot snapshot, ImmutableArray<JobAction> actions, string why)
    {
        var builder = new StatusBuilder(snapshot).Phase(TrainingPhase.Starting).Size(snapshot.Replicas).Set(TrainingConditions.Placed, true, "Placed", why)
            .Set(TrainingConditions.Training, false, "Starting", $"attempt {snapshot.Attempt} is starting").Set(TrainingConditions.Admitted, true, "Placed", why);
        if (!Queueing.HasQueue(snapshot))
        {
            builder.Set(TrainingConditions.QuotaReserved, true, "Placed", why);
        }

        return new JobDecision { Actions = actions, Status = builder.Build(), Reason = "Placed", Message = why, RequeueAfter = Withdrawal.BindTimeout(snapshot) };
    }

    private static string PodName(JobSnapshot snapshot, int index) =>
        snapshot.Attempt <= 1 ? $"{snapshot.Job.Metadata.Name}-{index}" : $"{snapshot.Job.Metadata.Name}-a{snapshot.Attempt}-{index}";
}
