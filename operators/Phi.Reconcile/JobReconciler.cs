using System.Collections.Immutable;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Phases;
using Phi.Reconcile.Snapshots;
using static Phi.Reconcile.Phases.Steps;

namespace Phi.Reconcile;

/// <summary>What happens to a training job next: a function of its snapshot, of nothing else.</summary>
public static class JobReconciler
{
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

        if (job.Spec.ActiveDeadlineSeconds is { } seconds && snapshot.Status.StartTime is { } start && snapshot.Now - start >= TimeSpan.FromSeconds(seconds))
        {
            return Fail(snapshot, "DeadlineExceeded", $"the job ran longer than activeDeadlineSeconds ({seconds})");
        }

        // Before the finalizer: of a job that only waits there is nothing to clean up.
        if (Queueing.Decide(snapshot) is { } queueing)
        {
            return queueing;
        }

        if (job.Metadata.Finalizers?.Contains(PhiNames.JobFinalizer) != true)
        {
            return new JobDecision { Actions = [new JobAction.AddFinalizer()], Reason = "Accepted", Message = "the job is taken on", RequeueAfter = TimeSpan.Zero };
        }

        if (job.Spec.Suspend == true)
        {
            return Admission.Suspend(snapshot);
        }

        return snapshot.Status.Phase switch
        {
            null or "" => Admission.Admit(snapshot),
            TrainingPhase.Suspended => Admission.Resume(snapshot),
            TrainingPhase.Pending or TrainingPhase.Restarting => Assembly.Assemble(snapshot),
            _ => Attempts.Watch(snapshot),
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
}
