using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests;

/// <summary>Jobs that are suspended or evicted at any moment, and what they come back to.</summary>
public sealed class LeavingTests
{
    private static readonly QueueAdmission Granted = new(AdmissionState.Granted, 2, "QuotaReserved", "2 of 2 pods have quota");
    private static readonly QueueAdmission Evicting = new(AdmissionState.Evicting, 2, "Preempted", "room is needed for default/urgent", Jobs.Start.AddSeconds(60), "InQueue");

    [Fact]
    public void Decide_QueuedThroughItsLife_SaysAtEachMomentWhatIsItsOwn()
    {
        var snapshot = Jobs.New(job => job.Spec.Queue = "research") with { Admission = Granted };
        Assert.Equal((null, null, null), Own(snapshot));

        snapshot = Run(snapshot, "QuotaReserved");
        Assert.Equal(("True", null, null), Own(snapshot));

        snapshot = Run(snapshot, "Placed");
        Assert.Equal(("True", "True", "True"), Own(snapshot));

        snapshot = Run(snapshot with { Admission = Evicting }, "Requeued");
        Assert.Equal(("False", "False", "False"), Own(snapshot));
        Assert.Equal((1, 0), (snapshot.Attempt, snapshot.Status.Interruptions?.Count ?? 0));

        snapshot = Run(snapshot with { Admission = Granted }, "QuotaReserved");
        Assert.Equal(("True", "False", "False"), Own(snapshot));
        Assert.Equal((2, 0, 1, "Preempted"), (snapshot.Attempt, snapshot.Status.Restarts, snapshot.Status.FreeRestarts, Assert.Single(snapshot.Status.Interruptions!).Reason));

        snapshot = Run(snapshot, "Placed");
        Assert.Equal(("True", "True", "True"), Own(snapshot));
    }

    [Fact]
    public void Decide_EvictedBeforeItHadAPlace_ComesBackAtTheSameAttempt()
    {
        var snapshot = Run(Jobs.New(job => job.Spec.Queue = "research") with { Admission = Granted }, "CreatingPods");

        snapshot = Run(snapshot with { Admission = Evicting }, "Requeued");
        snapshot = Run(snapshot with { Admission = Granted }, "QuotaReserved");

        Assert.Equal((1, 0, TrainingPhase.Pending), (snapshot.Attempt, snapshot.Status.FreeRestarts, snapshot.Status.Phase));
        Assert.Null(snapshot.Status.Interruptions);
    }

    [Fact]
    public void Decide_SuspendedBetweenAttempts_ResumesTheAttemptThatHadNotBegun()
    {
        var failed = Jobs.Running().WithAgents(Jobs.Agent(0), Jobs.Agent(1, RankState.Failed, 137));
        var snapshot = failed.After(JobReconciler.Decide(failed));
        snapshot.Job.Spec.Suspend = true;
        snapshot = Until(snapshot, TrainingPhase.Suspended) with { Agents = [] };
        snapshot.Job.Spec.Suspend = false;

        var resumed = JobReconciler.Decide(snapshot);

        Assert.Equal((2, 1, 0, TrainingPhase.Restarting), (resumed.Status!.Attempt, resumed.Status.Restarts, resumed.Status.FreeRestarts, resumed.Status.Phase));
        Assert.Equal("RankFailed", Assert.Single(resumed.Status.Interruptions!).Reason);
        Assert.Equal(("Resumed", "the job is no longer suspended; attempt 2 had not begun, and still is to"), (resumed.Reason, resumed.Message));
        Assert.Equal(Jobs.Start, resumed.Status.StartTime);
    }

    [Fact]
    public void Decide_SuspendedWithoutAQueue_HoldsNoQuota()
    {
        var snapshot = Run(Jobs.New(), "Placed");
        snapshot.Job.Spec.Suspend = true;

        Assert.Equal(("False", "False", "False"), Own(Until(snapshot, TrainingPhase.Suspended)));
    }

    [Fact]
    public void Decide_QueueTakenOutWhileWaiting_BeginsTheFirstAttempt()
    {
        var snapshot = Jobs.New(job => job.Spec.Queue = "research") with { Admission = new QueueAdmission(AdmissionState.Waiting, 0, "InsufficientQuota", "4 are needed and 3 are free") };
        snapshot = snapshot.After(JobReconciler.Decide(snapshot)) with { Admission = null };
        snapshot.Job.Spec.Queue = null;

        var decision = JobReconciler.Decide(snapshot);

        Assert.Equal(("Created", 1), (decision.Reason, decision.Status!.Attempt));
    }

    [Fact]
    public void Decide_QueueTakenOutAfterAnEviction_RecordsItAndBeginsTheNextAttempt()
    {
        var snapshot = Run(Jobs.New(job => job.Spec.Queue = "research") with { Admission = Granted }, "Placed");
        snapshot = Run(snapshot with { Admission = Evicting }, "Requeued") with { Admission = null };
        snapshot.Job.Spec.Queue = null;

        var decision = JobReconciler.Decide(snapshot);

        Assert.Equal(("Preempted", 2, 1), (decision.Reason, decision.Status!.Attempt, decision.Status.FreeRestarts));
        Assert.Equal(1, decision.Last().Attempt);
        Assert.Equal("False", State(decision.Status, TrainingConditions.Evicted));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Decide_AskedToLeaveWhenAllHaveSucceeded_IsDone(bool isEvicted)
    {
        var done = Held(job => job.Spec.Suspend = !isEvicted) with { Pods = [Jobs.Pod(0, "Succeeded"), Jobs.Pod(1, "Succeeded")], Admission = isEvicted ? Evicting : Granted };

        Assert.Equal(TrainingPhase.Succeeded, JobReconciler.Decide(done).Status!.Phase);
    }

    [Fact]
    public void Decide_EvictedWhileOnePodHasSucceeded_LetsTheOthersSucceedToo()
    {
        var half = Held() with { Pods = [Jobs.Pod(0, "Succeeded"), Jobs.Pod(1)], Admission = Evicting };

        var leaving = JobReconciler.Decide(half);
        var notDone = JobReconciler.Decide(half.With(1, pod => pod with { Phase = "Failed", ExitCode = 10, IsDeleting = true }));

        Assert.Equal("job-1", Assert.Single(leaving.Of<JobAction.DeletePod>()).Name);
        Assert.Equal("job-0", Assert.Single(notDone.Of<JobAction.DeletePod>()).Name);
    }

    [Theory]
    [InlineData("evicted")]
    [InlineData("suspended")]
    [InlineData("finished")]
    [InlineData("deleted")]
    public void Decide_LeavingWithAPodOnADeadNode_TakesItAwayByForce(string why)
    {
        var hanging = Held(job =>
        {
            job.Spec.Suspend = why == "suspended";
            job.Status!.Phase = why == "finished" ? TrainingPhase.Failed : TrainingPhase.Running;
            job.Metadata.DeletionTimestamp = why == "deleted" ? Jobs.Start : null;
        }) with
        {
            Pods = [Jobs.Pod(1) with { Node = "node-1", IsDeleting = true, DeleteBy = Jobs.Start.AddSeconds(30), RunningSince = Jobs.Start }],
            Nodes = [Jobs.Node(0), Jobs.Node(1, "Unknown")],
            Agents = [Jobs.Agent(1)],
            Admission = why == "evicted" ? Evicting : Granted,
        };

        var early = JobReconciler.Decide(hanging with { Now = Jobs.Start.AddSeconds(9) });
        var silent = JobReconciler.Decide(hanging with { Now = Jobs.Start.AddSeconds(10) });

        Assert.Empty(early.Actions);
        Assert.Equal(TimeSpan.FromSeconds(1), early.RequeueAfter);
        Assert.Equal(("Fenced", 0), (silent.Reason, Assert.Single(silent.Of<JobAction.DeletePod>()).GracePeriodSeconds));
    }

    [Fact]
    public void Decide_EvictedPastItsDeadline_FailsThoughItOnlyWaits()
    {
        var waiting = Run(Jobs.New(job => (job.Spec.Queue, job.Spec.ActiveDeadlineSeconds) = ("research", 60)) with { Admission = Granted }, "Placed");
        waiting = Run(waiting with { Admission = Evicting }, "Requeued") with { Admission = new QueueAdmission(AdmissionState.Waiting, 0, "InsufficientQuota", "none is free") };

        Assert.Equal(TimeSpan.FromSeconds(1), JobReconciler.Decide(waiting with { Now = Jobs.Start.AddSeconds(59) }).RequeueAfter);
        Assert.Equal("DeadlineExceeded", JobReconciler.Decide(waiting with { Now = Jobs.Start.AddSeconds(60) }).Reason);
    }

    [Fact]
    public void Decide_ReplacementNotBoundInAnInPlaceRestart_WithdrawsIt_AndKeepsThePodThatRan()
    {
        var placed = Jobs.Running(job => (job.Status!.Phase, job.Status.Attempt, job.Status.Conditions) =
            (TrainingPhase.Starting, 2, [new Condition { Type = TrainingConditions.Placed, Status = "True", LastTransitionTime = Jobs.Start }])) with
        {
            Pods = [Jobs.Pod(0) with { Attempt = 1 }, Jobs.Pod(1, "Pending") with { Attempt = 2, Node = null, Pin = "node-1" }],
        };

        var decision = JobReconciler.Decide(placed.HeardAt(60));

        Assert.Equal(("WithdrawnNotBound", TrainingPhase.Restarting, 2, 0), (decision.Reason, decision.Status!.Phase, decision.Status.Attempt, decision.Status.FreeRestarts));
        Assert.Equal("job-1", Assert.Single(decision.Of<JobAction.DeletePod>()).Name);
    }

    /// <summary>Runs with quota.</summary>
    private static JobSnapshot Held(Action<TrainingJob>? change = null) => Jobs.Running(job =>
    {
        (job.Spec.Queue, job.Status!.Conditions) = ("research", [new Condition { Type = TrainingConditions.QuotaReserved, Status = "True", LastTransitionTime = Jobs.Start }]);
        change?.Invoke(job);
    }) with { Admission = Granted };

    private static (string? Quota, string? Admitted, string? Placed) Own(JobSnapshot snapshot) =>
        (State(snapshot.Status, TrainingConditions.QuotaReserved), State(snapshot.Status, TrainingConditions.Admitted), State(snapshot.Status, TrainingConditions.Placed));

    private static string? State(TrainingJobStatus status, string type) => status.Conditions?.Find(condition => condition.Type == type)?.Status;

    private static JobSnapshot Until(JobSnapshot snapshot, string phase)
    {
        for (var round = 0; snapshot.Status.Phase != phase; round++)
        {
            Assert.True(round < 10, $"the job is {snapshot.Status.Phase}");
            snapshot = snapshot.After(JobReconciler.Decide(snapshot));
        }

        return snapshot;
    }

    /// <summary>Decides and executes until a reason comes up.</summary>
    private static JobSnapshot Run(JobSnapshot snapshot, string until)
    {
        for (var (round, reason) = (0, ""); reason != until; round++)
        {
            Assert.True(round < 10, $"no decision {until}, the last is {reason}");
            var decision = JobReconciler.Decide(snapshot);
            (snapshot, reason) = (snapshot.After(decision), decision.Reason);
        }

        return snapshot;
    }
}
