using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Phases;
using Phi.Reconcile.Snapshots;
using static Phi.Reconcile.Phases.Steps;

namespace Phi.Reconcile;

/// <summary>
/// Jobs without execution, to measure the control plane alone: a job with quota runs as long as its annotation says, and has neither
/// pods nor a finalizer. Its status is written when it first must wait, when it is admitted, and when it ends.
/// </summary>
public static class SimulatedJobReconciler
{
    public static JobDecision Decide(JobSnapshot snapshot)
    {
        var (job, phase) = (snapshot.Job, snapshot.Status.Phase);
        if (job.Metadata.DeletionTimestamp is not null || (phase is TrainingPhase.Succeeded or TrainingPhase.Failed && job.Spec.TtlSecondsAfterFinished is not null))
        {
            return JobReconciler.Decide(snapshot);
        }

        if (phase is TrainingPhase.Succeeded or TrainingPhase.Failed)
        {
            return Nothing("Finished", "the job is over") with { IsTold = false };
        }

        if (!snapshot.Errors.IsEmpty)
        {
            return Fail(snapshot, "InvalidSpec", string.Join("; ", snapshot.Errors));
        }

        if (!KubernetesDuration.TryParse(job.Metadata.Annotations?.GetValueOrDefault(PhiNames.SimulatedRuntimeAnnotation), out var runtime))
        {
            var field = $"metadata.annotations[{PhiNames.SimulatedRuntimeAnnotation}]";
            var value = job.Metadata.Annotations?.GetValueOrDefault(PhiNames.SimulatedRuntimeAnnotation) ?? "missing";
            return Fail(snapshot, "NotSimulated", new ValidationError(field, value, "must be a duration under an operator that simulates execution", "write how long the job runs, such as 200ms, or run the operator without --simulate-execution").ToString());
        }

        if (job.Spec.Suspend == true)
        {
            return phase == TrainingPhase.Suspended ? Nothing("Suspended", "the job is suspended") : Admission.Suspend(snapshot);
        }

        if (InitializeSource.IsAwaited(job))
        {
            return Initialization.Simulate(snapshot);
        }

        if (Queueing.HoldsQuota(snapshot))
        {
            return snapshot.Admission is { State: AdmissionState.Evicting } eviction ? Queueing.Release(snapshot, eviction) : Run(snapshot, runtime);
        }

        var admission = Queueing.HasQueue(snapshot) ? snapshot.Admission : new QueueAdmission(AdmissionState.Granted, job.Spec.Replicas!.Value, "QuotaReserved", "the job has no queue");
        return admission switch
        {
            null => Nothing("Queued", $"queue {job.Spec.Queue} has not considered the job yet"),
            { State: AdmissionState.Waiting } when HasWaited(snapshot) => Nothing(admission.Reason, admission.Message),
            { State: AdmissionState.Waiting } => Queueing.Wait(snapshot, admission),
            _ => Start(snapshot, admission, runtime),
        };
    }

    private static bool HasWaited(JobSnapshot snapshot) =>
        snapshot.Status is { Phase: TrainingPhase.Pending } status && status.Conditions?.Exists(condition => condition is { Type: TrainingConditions.QuotaReserved, Status: "False" }) == true;

    private static JobDecision Start(JobSnapshot snapshot, QueueAdmission granted, TimeSpan runtime) => new()
    {
        Actions = [],
        Status = new StatusBuilder(snapshot).NextAttempt(isCharged: false, isFirst: snapshot.Attempt == 0).Phase(TrainingPhase.Running).Size(granted.Replicas)
            .Set(TrainingConditions.QuotaReserved, true, "QuotaReserved", granted.Message).Set(TrainingConditions.Admitted, true, "Simulated", granted.Message)
            .Clear(TrainingConditions.Evicted, "QuotaReserved", granted.Message).Clear(TrainingConditions.Preempted, "QuotaReserved", granted.Message).Build(),
        Reason = "QuotaReserved",
        Message = granted.Message,
        RequeueAfter = runtime,
    };

    private static JobDecision Run(JobSnapshot snapshot, TimeSpan runtime)
    {
        var since = snapshot.Status.Conditions!.Find(condition => condition.Type == TrainingConditions.QuotaReserved)!.LastTransitionTime ?? snapshot.Now;
        var left = since + runtime - snapshot.Now;
        return left > TimeSpan.Zero
            ? Nothing("Running", "the job's execution is simulated") with { IsTold = false, RequeueAfter = left }
            : Finish(snapshot, TrainingPhase.Succeeded, "Completed", $"the simulated {runtime.TotalSeconds:0.###} s are over") with { RequeueAfter = null };
    }
}
