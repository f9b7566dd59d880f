using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests;

/// <summary>What a queue's word makes a job do, executed or simulated.</summary>
public sealed class QueueingTests
{
    private static readonly QueueAdmission Waiting = new(AdmissionState.Waiting, 0, "InsufficientQuota", "4 are needed and 3 are free");
    private static readonly QueueAdmission Granted = new(AdmissionState.Granted, 2, "QuotaReserved", "2 of 2 pods have quota");
    private static readonly QueueAdmission Evicting = new(AdmissionState.Evicting, 2, "Preempted", "room is needed for default/urgent", Jobs.Start.AddSeconds(60), "InQueue");

    [Fact]
    public void Decide_WaitingJob_WritesOnlyWhyAndTakesNothingOn()
    {
        var decision = JobReconciler.Decide(Queued(job => job.Metadata.Finalizers = null) with { Admission = Waiting });

        Assert.Empty(decision.Actions);
        Assert.Equal((TrainingPhase.Pending, 0), (decision.Status!.Phase, decision.Status.Attempt));
        Assert.Equal(("False", "InsufficientQuota", "4 are needed and 3 are free"), Words(decision.Status, TrainingConditions.QuotaReserved));
    }

    [Fact]
    public void Decide_JobNotConsideredYet_ChangesNothing()
    {
        var decision = JobReconciler.Decide(Queued());

        Assert.Empty(decision.Actions);
        Assert.Null(decision.Status);
    }

    [Fact]
    public void Decide_Granted_BeginsTheFirstAttemptWithTheGrantedPods()
    {
        var unfinalized = JobReconciler.Decide(Queued(job => job.Metadata.Finalizers = null) with { Admission = Granted });
        var decision = JobReconciler.Decide(Queued() with { Admission = Granted with { Replicas = 1 } });

        Assert.Single(unfinalized.Of<JobAction.AddFinalizer>());
        Assert.Equal((1, 1, 0), (decision.Status!.Attempt, decision.Status.Replicas, decision.Status.FreeRestarts));
        Assert.Equal(("True", "QuotaReserved", "2 of 2 pods have quota"), Words(decision.Status, TrainingConditions.QuotaReserved));
    }

    [Fact]
    public void Decide_EvictedJob_SavesLeavesWaitsAndComesBackForFree()
    {
        var running = Jobs.Running(job => (job.Spec.Queue, job.Status!.Conditions) = ("research", [Reserved("True")])) with { Admission = Evicting, Now = Jobs.Start.AddSeconds(10) };

        var leaving = JobReconciler.Decide(running);
        var released = JobReconciler.Decide(running.After(leaving));
        var back = JobReconciler.Decide(running.After(leaving).After(released) with { Admission = Granted });

        Assert.Equal([50L, 50L], leaving.Of<JobAction.DeletePod>().Select(pod => pod.GracePeriodSeconds));
        Assert.Equal(("True", "Preempted", "room is needed for default/urgent"), Words(leaving.Status!, TrainingConditions.Evicted));
        Assert.Equal("True", Words(leaving.Status!, TrainingConditions.QuotaReserved).Status);
        Assert.Equal((TrainingPhase.Pending, "False", "True"), (released.Status!.Phase, Words(released.Status, TrainingConditions.QuotaReserved).Status, Words(released.Status, TrainingConditions.Requeued).Status));
        Assert.Equal("InQueue", Words(released.Status, TrainingConditions.Preempted).Reason);
        Assert.Equal((2, 0, 1), (back.Status!.Attempt, back.Status.Restarts, back.Status.FreeRestarts));
        Assert.Equal("False", Words(back.Status, TrainingConditions.Evicted).Status);
    }

    [Fact]
    public void Decide_SuspendedJob_GivesItsQuotaBackWhenItsPodsAreGone()
    {
        var running = Jobs.Running(job => (job.Spec.Queue, job.Spec.Suspend, job.Status!.Conditions) = ("research", true, [Reserved("True")])) with { Admission = Granted };

        var first = JobReconciler.Decide(running);
        var second = JobReconciler.Decide(running.After(first));

        Assert.Equal("True", Words(first.Status!, TrainingConditions.QuotaReserved).Status);
        Assert.Equal((TrainingPhase.Suspended, "False"), (second.Status!.Phase, Words(second.Status, TrainingConditions.QuotaReserved).Status));
    }

    [Fact]
    public void Simulate_GrantedJob_WritesTwiceAndHasNoPods()
    {
        var snapshot = Queued(job => (job.Metadata.Finalizers, job.Metadata.Annotations) = (null, new() { [PhiNames.SimulatedRuntimeAnnotation] = "200ms" }));

        var waits = SimulatedJobReconciler.Decide(snapshot with { Admission = Waiting });
        var waitsOn = SimulatedJobReconciler.Decide(snapshot.After(waits) with { Admission = Waiting with { Message = "other numbers" } });
        var starts = SimulatedJobReconciler.Decide(snapshot.After(waits) with { Admission = Granted });
        var runs = SimulatedJobReconciler.Decide(snapshot.After(waits).After(starts) with { Admission = Granted, Now = Jobs.Start.AddMilliseconds(150) });
        var ends = SimulatedJobReconciler.Decide(snapshot.After(waits).After(starts) with { Admission = Granted, Now = Jobs.Start.AddMilliseconds(200) });

        Assert.Null(waitsOn.Status);
        Assert.Equal((TrainingPhase.Running, TimeSpan.FromMilliseconds(200)), (starts.Status!.Phase, starts.RequeueAfter));
        Assert.Null(runs.Status);
        Assert.Equal(TimeSpan.FromMilliseconds(50), runs.RequeueAfter);
        Assert.Equal(TrainingPhase.Succeeded, ends.Status!.Phase);
        Assert.All(new[] { waits, waitsOn, starts, runs, ends }, decision => Assert.Empty(decision.Actions));
    }

    private static JobSnapshot Queued(Action<TrainingJob>? change = null) => Jobs.New(job =>
    {
        job.Spec.Queue = "research";
        change?.Invoke(job);
    });

    private static Condition Reserved(string status) => new() { Type = TrainingConditions.QuotaReserved, Status = status, LastTransitionTime = Jobs.Start };

    private static (string Status, string Reason, string Message) Words(TrainingJobStatus status, string type)
    {
        var condition = status.Conditions!.First(one => one.Type == type);
        return (condition.Status, condition.Reason, condition.Message);
    }
}
