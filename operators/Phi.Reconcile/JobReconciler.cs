using System.Collections.Immutable;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile;

/// <summary>What happens to a training job next: a function of its snapshot, of nothing else.</summary>
public static class JobReconciler
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    public static JobDecision Decide(JobSnapshot snapshot)
    {
        var job = snapshot.Job;
        if (job.Metadata.DeletionTimestamp is not null)
        {
            return Delete(snapshot);
        }

        if (IsFinished(snapshot))
        {
            return AfterTheEnd(snapshot);
        }

        if (!snapshot.Errors.IsEmpty)
        {
            return Fail(snapshot, "InvalidSpec", string.Join("; ", snapshot.Errors));
        }

        if (job.Metadata.Finalizers?.Contains(PhiNames.JobFinalizer) != true)
        {
            return new JobDecision { Actions = [new JobAction.AddFinalizer()], Reason = "Accepted", Message = "the job is taken on", RequeueAfter = TimeSpan.Zero };
        }

        if (job.Spec.ActiveDeadlineSeconds is { } seconds && snapshot.Status.StartTime is { } start && snapshot.Now - start >= TimeSpan.FromSeconds(seconds))
        {
            return Fail(snapshot, "DeadlineExceeded", $"the job ran longer than activeDeadlineSeconds ({seconds})");
        }

        if (job.Spec.Suspend == true)
        {
            return Suspend(snapshot);
        }

        return snapshot.Status.Phase switch
        {
            null or "" => Admit(snapshot),
            TrainingPhase.Suspended => Resume(snapshot),
            TrainingPhase.Pending or TrainingPhase.Restarting => Assemble(snapshot),
            _ => Watch(snapshot),
        };
    }

    private static bool IsFinished(JobSnapshot snapshot) => snapshot.Status.Phase is TrainingPhase.Succeeded or TrainingPhase.Failed;

    private static JobDecision Delete(JobSnapshot snapshot)
    {
        if (snapshot.Job.Metadata.Finalizers?.Contains(PhiNames.JobFinalizer) != true)
        {
            return Nothing("Deleting", "nothing of the job is left");
        }

        return snapshot.Pods.IsEmpty
            ? new JobDecision { Actions = [new JobAction.RemoveFinalizer()], Reason = "Deleted", Message = "every pod of the job is gone" }
            : new JobDecision { Actions = DeletePods(snapshot.Pods), Reason = "Deleting", Message = $"waiting for {snapshot.Pods.Length} pods to end" };
    }

    /// <summary>Pods that ended keep their logs; others go. Later the job goes too, if it is to.</summary>
    private static JobDecision AfterTheEnd(JobSnapshot snapshot)
    {
        var running = DeletePods(snapshot.Pods.Where(pod => !pod.HasEnded));
        if (snapshot.Job.Spec.TtlSecondsAfterFinished is { } ttl && snapshot.Status.CompletionTime is { } end)
        {
            var left = end + TimeSpan.FromSeconds(ttl) - snapshot.Now;
            return left <= TimeSpan.Zero
                ? new JobDecision { Actions = [new JobAction.DeleteJob()], Reason = "Expired", Message = $"ttlSecondsAfterFinished ({ttl}) is over" }
                : new JobDecision { Actions = running, Reason = "Finished", Message = "the job is over", RequeueAfter = left };
        }

        var status = new StatusBuilder(snapshot).Build();
        return new JobDecision { Actions = running, Status = status, Reason = "Finished", Message = "the job is over" };
    }

    private static JobDecision Suspend(JobSnapshot snapshot)
    {
        var message = snapshot.Pods.IsEmpty ? "the job is suspended; set spec.suspend to false to go on" : $"waiting for {snapshot.Pods.Length} pods to save and end";
        var builder = new StatusBuilder(snapshot).Set(TrainingConditions.Training, false, "Suspended", message).Set(TrainingConditions.Admitted, false, "Suspended", message);
        if (snapshot.Pods.IsEmpty)
        {
            // Not before: whoever waits for this phase may rely on the last checkpoint being there.
            builder.Phase(TrainingPhase.Suspended);
        }

        return new JobDecision { Actions = DeletePods(snapshot.Pods), Status = builder.Build(), Reason = "Suspended", Message = message };
    }

    private static JobDecision Resume(JobSnapshot snapshot)
    {
        if (!snapshot.Pods.IsEmpty)
        {
            return new JobDecision { Actions = DeletePods(snapshot.Pods), Reason = "Resuming", Message = $"waiting for {snapshot.Pods.Length} pods of the suspended attempt to end" };
        }

        return snapshot.Attempt == 0 ? Admit(snapshot) : NextAttempt(snapshot, new AttemptFailure(false, false, "Resumed", "the job is no longer suspended"), []);
    }

    private static JobDecision Admit(JobSnapshot snapshot)
    {
        const string Message = "the job has no queue and is admitted as soon as its gang fits";
        return new JobDecision
        {
            Actions = [new JobAction.EnsureService()],
            Status = new StatusBuilder(snapshot).NextAttempt(isCharged: false, isFirst: true).Phase(TrainingPhase.Pending).Set(TrainingConditions.Finished, false, "Pending", Message).Build(),
            Reason = "Created",
            Message = Message,
            RequeueAfter = TimeSpan.Zero,
        };
    }

    /// <summary>Brings the gang to its whole size: first every pod, gated; then a place for all of them at once.</summary>
    private static JobDecision Assemble(JobSnapshot snapshot)
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

    private static JobDecision Place(JobSnapshot snapshot)
    {
        if (!snapshot.Pods.Any(pod => pod.IsGated))
        {
            return Start(snapshot, [], "the gang is placed");
        }

        if (GangPlacement.Find(snapshot, out var why) is { } placements)
        {
            return Start(snapshot, [new JobAction.PlaceGang(placements)], why);
        }

        var status = new StatusBuilder(snapshot).Set(TrainingConditions.QuotaReserved, false, "InsufficientCapacity", why).Set(TrainingConditions.Admitted, false, "InsufficientCapacity", why);
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

    private static JobDecision Watch(JobSnapshot snapshot)
    {
        if (snapshot.Pods.Length >= snapshot.Replicas && snapshot.Pods.GroupBy(pod => pod.Index).All(group => group.Any(pod => pod.Phase == "Succeeded")))
        {
            return Finish(snapshot, TrainingPhase.Succeeded, "Completed", $"all {snapshot.Replicas * snapshot.PerReplica} ranks completed the training");
        }

        // A pin that did not reach the API server before the operator went is made good.
        if (snapshot.Pods.Any(pod => pod is { IsGated: true, IsLive: true }))
        {
            return Place(snapshot);
        }

        if (FailurePolicy.Find(snapshot) is { } failure)
        {
            return failure switch
            {
                { IsFatal: true } => Fail(snapshot, failure.Reason, failure.Message),
                { IsCharged: true } when !RestartPolicy.MayRestart(snapshot) =>
                    Fail(snapshot, "MaxRestartsExceeded", $"{failure.Message}; {RestartPolicy.Charged(snapshot)} charged restarts are all that recovery.maxRestarts allows"),
                _ => NextAttempt(snapshot, failure, DeletePods(snapshot.Pods.Where(pod => pod.HasEnded))),
            };
        }

        var isTraining = snapshot.Agents.Any(agent => agent.Attempt == snapshot.Attempt && agent.Ranks.Any(rank => rank.State != RankState.Starting));
        var builder = new StatusBuilder(snapshot);
        var message = isTraining ? $"attempt {snapshot.Attempt} is training" : $"attempt {snapshot.Attempt} is starting";
        if (isTraining)
        {
            builder.Phase(TrainingPhase.Running).Set(TrainingConditions.Training, true, "Training", message);
        }

        return new JobDecision
        {
            Actions = [],
            Status = builder.Build(),
            Reason = isTraining ? "Training" : "Starting",
            Message = message,
            RequeueAfter = FailurePolicy.IsUnsettled(snapshot) ? Soon : Deadline(snapshot),
        };
    }

    private static JobDecision NextAttempt(JobSnapshot snapshot, AttemptFailure failure, ImmutableArray<JobAction> actions)
    {
        var charge = failure.IsCharged ? "charged" : "free";
        var message = $"attempt {snapshot.Attempt} ended: {failure.Message}; attempt {snapshot.Attempt + 1} follows ({charge})";
        return new JobDecision
        {
            Actions = actions,
            Status = new StatusBuilder(snapshot).NextAttempt(failure.IsCharged, isFirst: false).Phase(TrainingPhase.Restarting)
                .Set(TrainingConditions.Training, false, failure.Reason, message).Set(TrainingConditions.Requeued, true, failure.Reason, message).Build(),
            Reason = failure.Reason,
            Message = message,
            IsWarning = failure.IsCharged,
            RequeueAfter = TimeSpan.Zero,
        };
    }

    private static JobDecision Fail(JobSnapshot snapshot, string reason, string message) => Finish(snapshot, TrainingPhase.Failed, reason, message) with { IsWarning = true };

    private static JobDecision Finish(JobSnapshot snapshot, string phase, string reason, string message) => new()
    {
        Actions = [],
        Status = new StatusBuilder(snapshot).Finish(phase, reason, message).Build(),
        Reason = reason,
        Message = message,
        RequeueAfter = TimeSpan.Zero,
    };

    private static TimeSpan? Deadline(JobSnapshot snapshot) =>
        snapshot.Job.Spec.ActiveDeadlineSeconds is { } seconds && snapshot.Status.StartTime is { } start ? start + TimeSpan.FromSeconds(seconds) - snapshot.Now : null;

    private static string PodName(JobSnapshot snapshot, int index) =>
        snapshot.Attempt <= 1 ? $"{snapshot.Job.Metadata.Name}-{index}" : $"{snapshot.Job.Metadata.Name}-a{snapshot.Attempt}-{index}";

    private static ImmutableArray<JobAction> DeletePods(IEnumerable<PodSnapshot> pods) =>
        [.. pods.Where(pod => !pod.IsDeleting).Select(pod => new JobAction.DeletePod(pod.Name, pod.Uid, null))];

    private static JobDecision Nothing(string reason, string message) => new() { Actions = [], Reason = reason, Message = message };
}
