using CsCheck;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Tests;

/// <summary>Jobs of the user's own program: no agents, so an attempt lives and ends with its pods.</summary>
public sealed class ContainerJobTests
{
    [Fact]
    public void Decide_AllPodsRunning_IsTraining()
    {
        var starting = Running(job => job.Status!.Phase = TrainingPhase.Starting);

        Assert.Equal("Starting", JobReconciler.Decide(starting.With(1, pod => pod with { Phase = "Pending" })).Reason);
        Assert.Equal((TrainingPhase.Running, "Training"), (JobReconciler.Decide(starting).Status!.Phase, JobReconciler.Decide(starting).Reason));
    }

    [Fact]
    public void Decide_OnePodFailed_EndsTheAttemptAndReplacesEveryPod()
    {
        var failed = Running().With(1, pod => pod with { Phase = "Failed", ExitCode = 3, Message = "no such file" });

        var decision = JobReconciler.Decide(failed);

        Assert.Equal("attempt 1 ended: pod job-1 on node-0 failed with exit code 3: no such file; attempt 2 (charged) goes on from the beginning: no step is lost", decision.Message);
        Assert.Equal(["job-0", "job-1"], decision.Of<JobAction.DeletePod>().Select(delete => delete.Name));
        Assert.Equal((2, 1), (decision.Status!.Attempt, decision.Status.Restarts));
    }

    [Fact]
    public void Decide_StoppedBeforeThePodsWereDeleted_DeletesThemBeforeTheNextAttempt()
    {
        var left = Running(job => (job.Status!.Phase, job.Status.Attempt) = (TrainingPhase.Restarting, 2));

        var removing = JobReconciler.Decide(left);
        var creating = JobReconciler.Decide(left.After(removing));

        Assert.Equal(("Replacing", 2), (removing.Reason, removing.Of<JobAction.DeletePod>().Length));
        Assert.Equal(["job-a2-0", "job-a2-1"], creating.Of<JobAction.CreatePod>().Select(create => create.Name));
    }

    [Fact]
    public void Decide_PodGoneAndItsPeerFailed_IsADisruptionAndFree()
    {
        var snapshot = Running().With(0, pod => pod with { Phase = "Failed", ExitCode = 1 });

        var decision = JobReconciler.Decide(snapshot with { Pods = [snapshot.Pods[0]] });

        Assert.Equal("attempt 1 ended: the pod of replica 1 is gone; attempt 2 (free) goes on from the beginning: no step is lost", decision.Message);
        Assert.Equal((0, 1), (decision.Status!.Restarts, decision.Status.FreeRestarts));
        Assert.Single(decision.Of<JobAction.DeletePod>());
    }

    [Fact]
    public void Decide_DisruptedPodEndedBySigterm_IsFree()
    {
        var decision = JobReconciler.Decide(Running().With(1, pod => pod with { Phase = "Failed", ExitCode = 143, IsDisrupted = true }));

        Assert.Equal(("PodDisrupted", 0, 1), (decision.Reason, decision.Status!.Restarts, decision.Status.FreeRestarts));
    }

    [Fact]
    public void Decide_PodsEndedWithZero_SucceedsWhenAllHave()
    {
        var first = Running().With(1, pod => pod with { Phase = "Succeeded", ExitCode = 0 });

        Assert.Equal("Training", JobReconciler.Decide(first).Reason);
        var decision = JobReconciler.Decide(first.With(0, pod => pod with { Phase = "Succeeded", ExitCode = 0 }));
        Assert.Equal((TrainingPhase.Succeeded, "all 2 pods ended with exit code 0"), (decision.Status!.Phase, decision.Message));
    }

    [Fact]
    public void Decide_NoProgressForTheHangTimeout_RestartsTheGang()
    {
        var silent = Running(job =>
        {
            job.Spec.Recovery = new RecoverySpec { HangTimeout = "1m" };
            job.Status!.Progress = new ProgressStatus { Step = 12 };
        }) with { ProgressedAt = Jobs.Start.AddSeconds(30) };

        var before = JobReconciler.Decide(silent with { Now = Jobs.Start.AddSeconds(80) });
        var after = JobReconciler.Decide(silent with { Now = Jobs.Start.AddSeconds(90) });

        Assert.Equal(("Training", TimeSpan.FromSeconds(10)), (before.Reason, before.RequeueAfter));
        Assert.Equal("attempt 1 ended: no progress was reported for recovery.hangTimeout (1m), the last being step 12; attempt 2 (charged) goes on from the beginning: steps 1 to 12 (12) are done again", after.Message);
        Assert.Equal(2, after.Of<JobAction.DeletePod>().Length);
        Assert.Equal("Training", JobReconciler.Decide(silent with { Now = Jobs.Start.AddSeconds(90), ListeningSince = Jobs.Start.AddSeconds(60) }).Reason);
    }

    [Fact]
    public void Decide_ProgramThatNeverReports_IsNeverHung() =>
        Assert.Equal("Training", JobReconciler.Decide(Running(job => job.Spec.Recovery = new RecoverySpec { HangTimeout = "1m" }) with { Now = Jobs.Start.AddDays(1) }).Reason);

    [Fact]
    public void Decide_HangWithARule_DoesWhatTheRuleSays()
    {
        var hung = Running(job =>
        {
            job.Spec.Recovery = new RecoverySpec { HangTimeout = "1m", Rules = [new RecoveryRuleSpec { Reasons = ["Hung"], Action = "RestartFree" }] };
            job.Status!.Progress = new ProgressStatus { Step = 12 };
        }) with { Now = Jobs.Start.AddMinutes(1) };

        Assert.Equal(("Hung", 0, 1), (JobReconciler.Decide(hung).Reason, JobReconciler.Decide(hung).Status!.Restarts, JobReconciler.Decide(hung).Status!.FreeRestarts));
    }

    /// <summary>Codes that mean something among ranks of the built-in trainer mean nothing here.</summary>
    [Theory]
    [InlineData(RankExitCodes.SavedAndLeft)]
    [InlineData(RankExitCodes.PeerLost)]
    [InlineData(RankExitCodes.Superseded)]
    [InlineData(RankExitCodes.BadInput)]
    [InlineData(RankExitCodes.Diverged)]
    public void Decide_AnyExitCodeOfTheProgram_IsAChargedFault(int exitCode)
    {
        var decision = JobReconciler.Decide(Running().With(1, pod => pod with { Phase = "Failed", ExitCode = exitCode }));

        Assert.Equal(("RankFailed", TrainingPhase.Restarting, 1), (decision.Reason, decision.Status!.Phase, decision.Status.Restarts));
        Assert.Contains($"pod job-1 on node-0 failed with exit code {exitCode};", decision.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decide_SomebodySpeaksAsAnAgentOfItsPods_IsNotHeard()
    {
        var spoken = Running() with { Agents = [Jobs.Agent(0), Jobs.Agent(1, RankState.Failed, 137)], Now = Jobs.Start.AddDays(1) };

        Assert.Equal(("Training", null), (JobReconciler.Decide(spoken).Reason, JobReconciler.Decide(spoken).RequeueAfter));
    }

    [Fact]
    public void Decide_PodsOfTheLastAttemptDuringABackoff_AreDeletedAtOnce()
    {
        var waiting = Running(job =>
        {
            job.Spec.Recovery = new RecoverySpec { Backoff = "1m" };
            (job.Status!.Phase, job.Status.Attempt, job.Status.LastRestartTime, job.Status.ChargedRestartTimes) = (TrainingPhase.Restarting, 2, Jobs.Start, [Jobs.Start]);
        });

        Assert.Equal(("Replacing", 2), (JobReconciler.Decide(waiting).Reason, JobReconciler.Decide(waiting).Of<JobAction.DeletePod>().Length));
        Assert.Equal("BackingOff", JobReconciler.Decide(waiting.After(JobReconciler.Decide(waiting))).Reason);
    }

    [Fact]
    public void Decide_RoomForMoreAtACheckpoint_DeletesPodsUntilAllAreAsked()
    {
        var growable = Running(job =>
        {
            (job.Spec.Replicas, job.Spec.MinReplicas, job.Status!.Replicas) = (3, 1, 2);
            job.Status.Checkpoint = new CheckpointStatus { Step = 5, Time = Jobs.Start.AddSeconds(31) };
        }) with { Now = Jobs.Start.AddMinutes(1) };

        var asked = JobReconciler.Decide(growable);
        // The operator ended after its first deletion.
        var half = growable.After(asked with { Actions = [] }).With(0, pod => pod with { IsDeleting = true, DeleteBy = Jobs.Start.AddMinutes(2) });
        var again = JobReconciler.Decide(half);
        var ended = JobReconciler.Decide(half with { Pods = [] });

        Assert.Equal(("Growing", 2), (asked.Reason, asked.Of<JobAction.DeletePod>().Length));
        Assert.Equal(("Growing", "job-1"), (again.Reason, Assert.Single(again.Of<JobAction.DeletePod>()).Name));
        Assert.Equal(("Growing", 2, 0, 1), (ended.Reason, ended.Status!.Attempt, ended.Status.Restarts, ended.Status.FreeRestarts));
    }

    [Fact]
    public void Decide_AnyMixOfAttempts_PlacesNoPodBesideAnOlderOne()
    {
        var pods = Gen.Select(Gen.Int[1, 2], Gen.OneOf(Gen.Const("Pending"), Gen.Const("Running"), Gen.Const("Succeeded"), Gen.Const("Failed")), Gen.Bool).Array[0, 4];
        var phases = Gen.OneOf(Gen.Const(TrainingPhase.Pending), Gen.Const(TrainingPhase.Restarting));
        Gen.Select(pods, phases).Sample((given, phase) =>
        {
            var snapshot = Running(job => (job.Status!.Phase, job.Status.Attempt) = (phase, 2)) with
            {
                Pods = [.. given.Select((pod, i) => Jobs.Pod(i % 2, pod.Item2) with { Name = $"pod-{i}", Uid = $"uid-{i}", Attempt = pod.Item1, IsGated = pod.Item2 == "Pending", IsDeleting = pod.Item3 }).DistinctBy(pod => (pod.Attempt, pod.Index))],
            };

            var decision = JobReconciler.Decide(snapshot);

            if (decision.Of<JobAction.PlaceGang>().Length > 0 || decision.Status?.Phase == TrainingPhase.Starting)
            {
                Assert.All(snapshot.Pods, pod => Assert.Equal(2, pod.Attempt));
            }

            // What is decided on is carried out to an end: after a few rounds the gang is whole and of one attempt.
            for (var round = 0; round < 6; round++)
            {
                snapshot = snapshot with { Pods = [.. snapshot.Pods.Where(pod => !pod.IsDeleting)] };
                snapshot = snapshot.After(JobReconciler.Decide(snapshot));
                snapshot = snapshot with { Pods = [.. snapshot.Pods.Select(pod => pod.Attempt == 0 ? pod with { Attempt = 2 } : pod)] };
            }

            Assert.Equal([0, 1], snapshot.Pods.Select(pod => pod.Index).Order());
        });
    }

    /// <summary>Attempt 1 runs on both pods.</summary>
    internal static JobSnapshot Running(Action<TrainingJob>? change = null)
    {
        var snapshot = Jobs.Running(job =>
        {
            (job.Spec.Phi, job.Spec.Container) = (null, new ContainerSpec { Image = "python:3", Command = ["python3", "train.py"] });
            job.Status!.Conditions = [new Condition { Type = TrainingConditions.Training, Status = "True", LastTransitionTime = Jobs.Start }];
            change?.Invoke(job);
        });
        return snapshot with { Agents = [], Pods = [.. snapshot.Pods.Select(pod => pod with { Attempt = 1 })] };
    }
}
