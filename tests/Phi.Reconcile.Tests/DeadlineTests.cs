using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Tests;

/// <summary>activeDeadlineSeconds and ttlSecondsAfterFinished, for jobs of both kinds.</summary>
public sealed class DeadlineTests
{
    public static TheoryData<bool> Kinds => [false, true];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Decide_RunningAtItsDeadline_FailsAndThenDeletesItsPods(bool isContainer)
    {
        var running = Running(isContainer, job => job.Spec.ActiveDeadlineSeconds = 60);

        var before = JobReconciler.Decide(running.HeardAt(59));
        var at = JobReconciler.Decide(running with { Now = Jobs.Start.AddSeconds(60) });
        var after = JobReconciler.Decide(running.After(at) with { Now = Jobs.Start.AddSeconds(60) });

        Assert.Equal(TimeSpan.FromSeconds(1), before.RequeueAfter);
        Assert.Equal((TrainingPhase.Failed, "DeadlineExceeded", "the job ran longer than activeDeadlineSeconds (60)"), (at.Status!.Phase, at.Reason, at.Message));
        Assert.Equal(2, after.Of<JobAction.DeletePod>().Length);
    }

    [Fact]
    public void Decide_TrainedAtItsDeadline_SucceedsThoughItsLastCheckpointIsBeingEvaluated()
    {
        var running = Running(false, job => job.Spec.ActiveDeadlineSeconds = 60) with { Now = Jobs.Start.AddSeconds(60) };
        var trained = running with { Agents = [.. running.Agents.Select(agent => agent with { Ranks = [.. agent.Ranks.Select(rank => rank with { State = RankState.Completed })] })] };

        Assert.Equal("DeadlineExceeded", JobReconciler.Decide(running).Reason);
        Assert.Equal((TrainingPhase.Succeeded, "Completed"), (JobReconciler.Decide(trained).Status!.Phase, JobReconciler.Decide(trained).Reason));
    }

    [Theory]
    [InlineData(TrainingPhase.Pending)]
    [InlineData(TrainingPhase.Restarting)]
    [InlineData(TrainingPhase.Starting)]
    public void Decide_WaitingInAnyPhase_LooksAgainAtTheDeadline(string phase)
    {
        // Not placed yet; or placed and not bound.
        var isPlaced = phase == TrainingPhase.Starting;
        var waiting = Jobs.New(job => (job.Spec.ActiveDeadlineSeconds, job.Status) = (3, new TrainingJobStatus
        {
            Phase = phase,
            Attempt = 1,
            StartTime = Jobs.Start,
            Conditions = [new Condition { Type = TrainingConditions.Placed, Status = isPlaced ? "True" : "False", LastTransitionTime = Jobs.Start }],
        })) with
        {
            Pods = [.. new[] { 0, 1 }.Select(index => Jobs.Pod(index, "Pending") with { IsGated = !isPlaced, Pin = isPlaced ? "node-0" : null, Node = null })],
            Nodes = [],
        };

        Assert.Equal(TimeSpan.FromSeconds(3), JobReconciler.Decide(waiting).RequeueAfter);
        Assert.Equal("DeadlineExceeded", JobReconciler.Decide(waiting with { Now = Jobs.Start.AddSeconds(3) }).Reason);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Decide_SuspendedPastItsDeadline_GoesOnWithAllOfItsTime(bool isContainer)
    {
        var suspended = Running(isContainer, job => (job.Spec.ActiveDeadlineSeconds, job.Spec.Suspend) = (60, true)) with { Now = Jobs.Start.AddSeconds(50) };
        suspended = suspended.After(JobReconciler.Decide(suspended)) with { Now = Jobs.Start.AddSeconds(100) };
        suspended = suspended.After(JobReconciler.Decide(suspended)) with { Now = Jobs.Start.AddHours(1) };
        Assert.Equal((TrainingPhase.Suspended, "Suspended", null), (suspended.Status.Phase, JobReconciler.Decide(suspended).Reason, suspended.Status.StartTime));

        suspended.Job.Spec.Suspend = false;
        var resumed = suspended.After(JobReconciler.Decide(suspended));

        Assert.Equal((Jobs.Start.AddHours(1), 2), (resumed.Status.StartTime!.Value, resumed.Attempt));
        Assert.NotEqual("DeadlineExceeded", JobReconciler.Decide(resumed with { Now = Jobs.Start.AddHours(1).AddSeconds(59) }).Reason);
        Assert.Equal("DeadlineExceeded", JobReconciler.Decide(resumed with { Now = Jobs.Start.AddHours(1).AddSeconds(60) }).Reason);
    }

    [Theory]
    [InlineData(false, TrainingPhase.Succeeded)]
    [InlineData(true, TrainingPhase.Succeeded)]
    [InlineData(false, TrainingPhase.Failed)]
    [InlineData(true, TrainingPhase.Failed)]
    public void Decide_FinishedForItsTtl_DeletesTheJob(bool isContainer, string phase)
    {
        var finished = Running(isContainer, job =>
        {
            job.Spec.TtlSecondsAfterFinished = 30;
            (job.Status!.Phase, job.Status.CompletionTime) = (phase, Jobs.Start.AddSeconds(10));
        });

        var before = JobReconciler.Decide(finished with { Now = Jobs.Start.AddSeconds(15) });
        var after = JobReconciler.Decide(finished with { Now = Jobs.Start.AddSeconds(40) });

        Assert.Equal((2, TimeSpan.FromSeconds(25)), (before.Actions.Length, before.RequeueAfter!.Value));
        Assert.IsType<JobAction.DeleteJob>(Assert.Single(after.Actions));
        Assert.Equal(("Expired", "ttlSecondsAfterFinished (30) is over"), (after.Reason, after.Message));
    }

    [Fact]
    public void Decide_TtlOfZero_DeletesTheJobAtOnce()
    {
        var finished = Jobs.Running(job => (job.Spec.TtlSecondsAfterFinished, job.Status!.Phase, job.Status.CompletionTime) = (0, TrainingPhase.Succeeded, Jobs.Start));

        Assert.IsType<JobAction.DeleteJob>(Assert.Single(JobReconciler.Decide(finished).Actions));
    }

    [Fact]
    public void Decide_LongestTimesThatTheApiTakes_AreNeverOver()
    {
        var running = Jobs.Running(job => (job.Spec.ActiveDeadlineSeconds, job.Spec.TtlSecondsAfterFinished) = (long.MaxValue, long.MaxValue));
        var finished = running.After(JobReconciler.Decide(running with { Pods = [Jobs.Pod(0, "Succeeded"), Jobs.Pod(1, "Succeeded")] }));

        var now = Jobs.Start.AddYears(20);
        Assert.Equal("Training", JobReconciler.Decide(running with { Now = now, Agents = [.. running.Agents.Select(agent => agent with { LastSeen = now, ProgressAt = now })] }).Reason);
        var later = JobReconciler.Decide(finished with { Now = Jobs.Start.AddYears(20) });
        Assert.Equal("Finished", later.Reason);
        Assert.False(later.IsTold);
    }

    private static JobSnapshot Running(bool isContainer, Action<TrainingJob> change) => isContainer ? ContainerJobTests.Running(change) : Jobs.Running(change);
}
