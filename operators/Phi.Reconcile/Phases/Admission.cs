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
            Attempts.Leave(builder, message).Phase(TrainingPhase.Suspended).Set(TrainingConditions.QuotaReserved, false, "Suspended", message);
            if (Queueing.HasQueue(snapshot))
            {
                builder.Size(null);
            }
        }

        return new JobDecision { Actions = DeletePods(snapshot.Pods), Status = builder.Build(), Reason = "Suspended", Message = message };
    }

    public static JobDecision Resume(JobSnapshot snapshot)
    {
        if (!snapshot.Pods.IsEmpty)
        {
            return new JobDecision { Actions = DeletePods(snapshot.Pods), Reason = "Resuming", Message = $"waiting for {snapshot.Pods.Length} pods of the attempt that was asked to leave to end" };
        }

        return snapshot.Attempt == 0 ? Admit(snapshot) : Attempts.Again(snapshot, Before(snapshot));
    }

    /// <summary>What a job comes back from.</summary>
    public static AttemptFailure Before(JobSnapshot snapshot) => snapshot.Status.Conditions?.Find(condition => condition is { Type: TrainingConditions.Evicted, Status: "True" }) switch
    {
        { Reason: RequeuePolicy.Reason } => new AttemptFailure(false, false, "Requeued", "the job has waited after a pod of its gang was not bound in time"),
        { } evicted => new AttemptFailure(false, false, "Preempted", $"its queue took the quota back: {evicted.Message}"),
        null => new AttemptFailure(false, false, InterruptionReasons.Resumed, "the job is no longer suspended"),
    };

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
