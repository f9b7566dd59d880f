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
        // Whoever speaks in the name of a container job's pods is no agent, and nobody waits for one.
        var heard = snapshot.HasAgents ? snapshot : snapshot with { Agents = [] };
        return Fencing.Complete(heard, DecideAlone(heard));
    }

    private static JobDecision DecideAlone(JobSnapshot snapshot)
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

        // Whatever else is asked of the job by now: its work is done.
        if (Attempts.IsDone(snapshot))
        {
            return Attempts.Complete(snapshot);
        }

        // As in batch/v1: a suspended job's time stands still, and starts anew when it goes on.
        if (job.Spec.Suspend != true && Deadline(snapshot) is { Ticks: <= 0 })
        {
            // All that goes on is the evaluation of the last checkpoint, which has no part in whether a job succeeds.
            if (Attempts.IsTrained(snapshot))
            {
                return Attempts.Complete(snapshot);
            }

            return Fail(snapshot, "DeadlineExceeded", $"the job ran longer than activeDeadlineSeconds ({job.Spec.ActiveDeadlineSeconds})");
        }

        // Before the queue: whoever waits for a checkpoint needs no quota.
        if (Initialization.Decide(snapshot) is { } initialization)
        {
            return initialization;
        }

        // Before the finalizer: of a job that only waits there is nothing to clean up.
        if (Queueing.Decide(snapshot) is { } queueing)
        {
            return ByTheDeadline(snapshot, queueing);
        }

        if (job.Metadata.Finalizers?.Contains(PhiNames.JobFinalizer) != true)
        {
            return new JobDecision { Actions = [new JobAction.AddFinalizer()], Reason = "Accepted", Message = "the job is taken on", RequeueAfter = TimeSpan.Zero };
        }

        if (job.Spec.Suspend == true)
        {
            return Admission.Suspend(snapshot);
        }

        return ByTheDeadline(snapshot, snapshot.Status.Phase switch
        {
            null or "" => Admission.Admit(snapshot),
            // It waited in a queue that was taken out of its spec.
            TrainingPhase.Pending when snapshot.Attempt == 0 => Admission.Admit(snapshot),
            TrainingPhase.Suspended => Admission.Resume(snapshot),
            TrainingPhase.Pending or TrainingPhase.Restarting when Attempts.WasLeft(snapshot) => Admission.Resume(snapshot),
            TrainingPhase.Pending or TrainingPhase.Restarting => Attempts.Prepare(snapshot),
            _ => Attempts.Watch(snapshot),
        });
    }

    /// <summary>Whatever the job waits for, its deadline is not waited past.</summary>
    private static JobDecision ByTheDeadline(JobSnapshot snapshot, JobDecision decision) =>
        Deadline(snapshot) is { } left && (decision.RequeueAfter is not { } after || left < after) ? decision with { RequeueAfter = left } : decision;

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
        var status = new StatusBuilder(snapshot).Build();
        if (snapshot.Job.Spec.TtlSecondsAfterFinished is { } ttl && snapshot.Status.CompletionTime is { } end)
        {
            var left = end + Seconds(ttl) - snapshot.Now;
            return left <= TimeSpan.Zero
                ? new JobDecision { Actions = [new JobAction.DeleteJob()], Reason = "Expired", Message = $"ttlSecondsAfterFinished ({ttl}) is over" }
                : new JobDecision { Actions = running, Status = status, Reason = "Finished", Message = "the job is over", IsTold = false, RequeueAfter = left };
        }

        return new JobDecision { Actions = running, Status = status, Reason = "Finished", Message = "the job is over", IsTold = false };
    }
}
