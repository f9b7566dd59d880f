using System.Collections.Immutable;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;
using static Phi.Reconcile.Phases.Steps;

namespace Phi.Reconcile.Phases;

/// <summary>Before an attempt, and between attempts that somebody asked to end: quota, suspension, resumption.</summary>
internal static class Admission
{
    public static JobDecision Suspend(JobSnapshot snapshot)
    {
        var message = snapshot.Pods.IsEmpty ? "the job is suspended; set spec.suspend to false to go on" : $"waiting for {snapshot.Pods.Length} pods to save and end";
        var builder = new StatusBuilder(snapshot).Set(TrainingConditions.Training, false, "Suspended", message).Set(TrainingConditions.Admitted, false, "Suspended", message);
        if (snapshot.Pods.IsEmpty)
        {
            // Not before: whoever waits for this phase may rely on the last checkpoint being there.
            builder.Phase(TrainingPhase.Suspended);
            if (Queueing.HasQueue(snapshot))
            {
                builder.Size(null).Set(TrainingConditions.QuotaReserved, false, "Suspended", message);
            }
        }

        return new JobDecision { Actions = DeletePods(snapshot.Pods), Status = builder.Build(), Reason = "Suspended", Message = message };
    }

    public static JobDecision Resume(JobSnapshot snapshot)
    {
        if (!snapshot.Pods.IsEmpty)
        {
            return new JobDecision { Actions = DeletePods(snapshot.Pods), Reason = "Resuming", Message = $"waiting for {snapshot.Pods.Length} pods of the suspended attempt to end" };
        }

        return snapshot.Attempt == 0 ? Admit(snapshot) : Attempts.Next(snapshot, new AttemptFailure(false, false, "Resumed", "the job is no longer suspended"), []);
    }

    public static JobDecision Admit(JobSnapshot snapshot)
    {
        const string Message = "the job has no queue and is admitted as soon as its gang fits";
        return new JobDecision
        {
            Actions = [],
            Status = new StatusBuilder(snapshot).NextAttempt(isCharged: false, isFirst: true).Phase(TrainingPhase.Pending).Set(TrainingConditions.Finished, false, "Pending", Message).Build(),
            Reason = "Created",
            Message = Message,
            RequeueAfter = TimeSpan.Zero,
        };
    }
}
