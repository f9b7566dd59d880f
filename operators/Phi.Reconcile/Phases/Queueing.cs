using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Phases;

/// <summary>What a job's queue has it do: wait, take the quota and begin an attempt, or save, leave and give the quota back.</summary>
internal static class Queueing
{
    public static bool HasQueue(JobSnapshot snapshot) => !string.IsNullOrEmpty(snapshot.Job.Spec.Queue);

    public static bool HoldsQuota(JobSnapshot snapshot) => Condition(snapshot, TrainingConditions.QuotaReserved) is { Status: "True" };

    /// <summary>Null: the queue has nothing to say, now.</summary>
    public static JobDecision? Decide(JobSnapshot snapshot)
    {
        if (!HasQueue(snapshot) || snapshot.Job.Spec.Suspend == true)
        {
            return null;
        }

        if (HoldsQuota(snapshot))
        {
            return snapshot.Admission is { State: AdmissionState.Evicting } eviction ? Evict(snapshot, eviction)
                : RequeuePolicy.Remaining(snapshot) is not null ? GiveBack(snapshot)
                : null;
        }

        if (!snapshot.Pods.IsEmpty)
        {
            return new JobDecision { Actions = Steps.DeletePods(snapshot.Pods), Reason = "Releasing", Message = $"waiting for {snapshot.Pods.Length} pods without quota to end" };
        }

        return snapshot.Admission switch
        {
            null => Steps.Nothing("Queued", $"queue {snapshot.Job.Spec.Queue} has not considered the job yet"),
            { State: AdmissionState.Waiting } waiting => Wait(snapshot, waiting),
            _ when snapshot.Job.Metadata.Finalizers?.Contains(PhiNames.JobFinalizer) != true => null,
            var granted => Grant(snapshot, granted),
        };
    }

    public static JobDecision Wait(JobSnapshot snapshot, QueueAdmission waiting) => new()
    {
        Actions = [],
        Status = new StatusBuilder(snapshot).Phase(TrainingPhase.Pending).Set(TrainingConditions.QuotaReserved, false, waiting.Reason, waiting.Message).Build(),
        Reason = waiting.Reason,
        Message = waiting.Message,
    };

    /// <summary>A quota is taken at the beginning of an attempt: the first, or a free one after an eviction or a suspension.</summary>
    public static JobDecision Grant(JobSnapshot snapshot, QueueAdmission granted)
    {
        var status = snapshot.Attempt == 0
            ? new StatusBuilder(snapshot).NextAttempt(isCharged: false, isFirst: true).Phase(TrainingPhase.Pending).Build()
            : Attempts.Again(snapshot, Admission.Before(snapshot)).Status!;

        // The attempt's own words stay; the quota's are added.
        var job = TrainingJobDefaults.Apply(snapshot.Job);
        job.Status = status;
        status = new StatusBuilder(snapshot with { Job = job }).Size(granted.Replicas)
            .Set(TrainingConditions.QuotaReserved, true, "QuotaReserved", granted.Message).Set(TrainingConditions.Finished, false, "Pending", granted.Message)
            .Clear(TrainingConditions.Evicted, "QuotaReserved", granted.Message).Clear(TrainingConditions.Preempted, "QuotaReserved", granted.Message).Build();
        return new JobDecision { Actions = [], Status = status, Reason = "QuotaReserved", Message = granted.Message, RequeueAfter = TimeSpan.Zero };
    }

    /// <summary>The ranks save and leave when their pods are asked to end; once all are gone the quota is free and the job waits again.</summary>
    private static JobDecision Evict(JobSnapshot snapshot, QueueAdmission eviction)
    {
        if (snapshot.Pods.IsEmpty)
        {
            return Release(snapshot, eviction);
        }

        // A pod that has succeeded stays while others may yet: then the job is done, and has nothing to come back for.
        var running = snapshot.Pods.Where(pod => !pod.HasEnded).ToList();
        var leaving = running.Count > 0 ? running : [.. snapshot.Pods];
        var grace = Math.Max(1, (long)Math.Ceiling(((eviction.Deadline ?? snapshot.Now) - snapshot.Now).TotalSeconds));
        var message = $"{eviction.Message}; its {leaving.Count} pods save and leave within {grace} s";
        return new JobDecision
        {
            Actions = [.. leaving.Where(pod => !pod.IsDeleting).Select(pod => new JobAction.DeletePod(pod.Name, pod.Uid, grace))],
            Status = Evicted(snapshot, eviction).Build(),
            Reason = eviction.Reason,
            Message = message,
            IsWarning = true,
        };
    }

    public static JobDecision Release(JobSnapshot snapshot, QueueAdmission eviction) => Release(snapshot, Evicted(snapshot, eviction), eviction.Reason, eviction.Message);

    private static JobDecision Release(JobSnapshot snapshot, StatusBuilder builder, string reason, string why) => new()
    {
        Actions = [],
        Status = Attempts.Leave(builder, why).Phase(TrainingPhase.Pending).Size(null)
            .Set(TrainingConditions.QuotaReserved, false, reason, why).Set(TrainingConditions.Admitted, false, reason, why)
            .Set(TrainingConditions.Training, false, reason, why).Set(TrainingConditions.Requeued, true, reason, why).Build(),
        Reason = "Requeued",
        Message = $"the job gave its quota back and waits in queue {snapshot.Job.Spec.Queue} again: {why}",
    };

    /// <summary>A gang that was withdrawn leaves its quota to others while it waits; its place in the queue stays.</summary>
    private static JobDecision GiveBack(JobSnapshot snapshot)
    {
        var why = RequeuePolicy.Words(snapshot);
        return snapshot.Pods.IsEmpty
            ? Release(snapshot, new StatusBuilder(snapshot).Set(TrainingConditions.Evicted, true, RequeuePolicy.Reason, why), RequeuePolicy.Reason, why)
            : new JobDecision { Actions = Steps.DeletePods(snapshot.Pods), Reason = "Releasing", Message = $"waiting for {snapshot.Pods.Length} pods to end before the quota is given back: {why}" };
    }

    private static StatusBuilder Evicted(JobSnapshot snapshot, QueueAdmission eviction) => new StatusBuilder(snapshot)
        .Set(TrainingConditions.Evicted, true, eviction.Reason, eviction.Message).Set(TrainingConditions.Preempted, true, eviction.Cause ?? eviction.Reason, eviction.Message);

    private static Condition? Condition(JobSnapshot snapshot, string type) => snapshot.Status.Conditions?.Find(condition => condition.Type == type);
}
