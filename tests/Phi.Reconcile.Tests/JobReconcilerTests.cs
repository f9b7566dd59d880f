using CsCheck;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests;

/// <summary>Decisions by scenario, each with its reason; and what must hold of all of them.</summary>
public sealed class JobReconcilerTests
{
    [Fact]
    public void Decide_NewJob_BecomesAPlacedGangInFourSteps()
    {
        var snapshot = Jobs.New(job => job.Metadata.Finalizers = null);
        var reasons = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            var decision = JobReconciler.Decide(snapshot);
            reasons.Add(decision.Reason);
            snapshot = snapshot.After(decision);
        }

        Assert.Equal(["Accepted", "Created", "CreatingPods", "Placed"], reasons);
        Assert.Equal(["job-0", "job-1"], snapshot.Pods.Select(pod => pod.Name));
        Assert.All(snapshot.Pods, pod => Assert.Equal("node-0", pod.Node));
        Assert.Equal((TrainingPhase.Starting, 1), (snapshot.Status.Phase, snapshot.Status.Attempt));
    }

    [Fact]
    public void Decide_GangThatDoesNotFit_PlacesNoPodAtAll()
    {
        var snapshot = Assembled() with { Nodes = [new NodeSnapshot("node-0", true, "cpu", 3)] };

        var decision = JobReconciler.Decide(snapshot);

        Assert.Empty(decision.Actions);
        Assert.Equal("InsufficientCapacity", decision.Reason);
        Assert.Equal("2 pods of 2 cpu do not fit: 3 are free on 1 node", decision.Message);
    }

    [Fact]
    public void Decide_GangLargerThanANode_SpreadsOverNodes()
    {
        var snapshot = Assembled() with { Nodes = [new NodeSnapshot("node-0", true, "cpu", 2), new NodeSnapshot("node-1", true, "cpu", 3)] };

        var place = Assert.Single(JobReconciler.Decide(snapshot).Of<JobAction.PlaceGang>());

        Assert.Equal(["node-0", "node-1"], place.Placements.Select(placement => placement.Node));
    }

    [Fact]
    public void Decide_RankKilled_ChargesARestartAndKeepsThePods()
    {
        var decision = JobReconciler.Decide(Jobs.Running().WithAgents(Jobs.Agent(0), Jobs.Agent(1, RankState.Failed, 137)));

        Assert.Equal("RankFailed", decision.Reason);
        Assert.Equal("attempt 1 ended: rank 2 on node-0 was killed (signal 9), as happens when memory runs out; attempt 2 (charged) goes on from the beginning: no step is lost", decision.Message);
        Assert.Equal((2, 1, 0), (decision.Status!.Attempt, decision.Status.Restarts, decision.Status.FreeRestarts));
        Assert.Empty(decision.Actions);
        Assert.True(decision.IsWarning);
    }

    [Fact]
    public void Decide_PeersLostOfAKilledRank_WaitForTheCause()
    {
        var lost = Jobs.Running().WithAgents(Jobs.Agent(0, RankState.Failed, RankExitCodes.PeerLost, Jobs.Start), Jobs.Agent(1));

        var early = JobReconciler.Decide(lost.HeardAt(1));
        var late = JobReconciler.Decide(lost.HeardAt(4));

        Assert.Equal(("Training", TimeSpan.FromSeconds(1)), (early.Reason, early.RequeueAfter));
        Assert.Equal("PeerLost", late.Reason);
    }

    [Fact]
    public void Decide_PodBeingDeleted_WaitsUntilItHasSaved()
    {
        var leaving = Jobs.Running().With(1, pod => pod with { IsDeleting = true });

        Assert.Equal("Training", JobReconciler.Decide(leaving).Reason);
        var decision = JobReconciler.Decide(leaving with { Pods = [Jobs.Pod(0)] });
        Assert.Equal("PodDeleted", decision.Reason);
        Assert.Equal((2, 0, 1), (decision.Status!.Attempt, decision.Status.Restarts, decision.Status.FreeRestarts));
    }

    [Fact]
    public void Decide_DisruptedPod_IsReplacedForFree()
    {
        var failed = Jobs.Running().With(1, pod => pod with { Phase = "Failed", IsDisrupted = true, ExitCode = 10, Message = "node shutdown" });

        var decision = JobReconciler.Decide(failed);
        var next = JobReconciler.Decide(failed.After(decision));

        Assert.Equal(0, decision.Status!.Restarts);
        Assert.Equal("job-1", Assert.Single(decision.Of<JobAction.DeletePod>()).Name);
        Assert.Equal("job-a2-1", Assert.Single(next.Of<JobAction.CreatePod>()).Name);
    }

    [Fact]
    public void Decide_BadInput_FailsAtOnce()
    {
        var decision = JobReconciler.Decide(Jobs.Running().WithAgents(Jobs.Agent(0, RankState.Failed, RankExitCodes.BadInput)));

        Assert.Equal((TrainingPhase.Failed, "BadInput"), (decision.Status!.Phase, decision.Reason));
    }

    [Fact]
    public void Decide_StorageUnavailable_RestartsWithoutACharge()
    {
        var decision = JobReconciler.Decide(Jobs.Running().WithAgents(Jobs.Agent(0, RankState.Failed, RankExitCodes.StorageUnavailable), Jobs.Agent(1)));

        Assert.Equal((2, 0, "StorageUnavailable"), (decision.Status!.Attempt, decision.Status.Restarts ?? 0, decision.Status.Interruptions![^1].Reason));
    }

    [Fact]
    public void Decide_FaultAfterTheLastAllowedRestart_FailsTheJob()
    {
        var snapshot = Jobs.Running(job => job.Status!.ChargedRestartTimes = [Jobs.Start, Jobs.Start, Jobs.Start]).WithAgents(Jobs.Agent(0, RankState.Failed, 1));

        var decision = JobReconciler.Decide(snapshot);

        Assert.Equal((TrainingPhase.Failed, "MaxRestartsExceeded"), (decision.Status!.Phase, decision.Reason));
        Assert.Contains("3 charged restarts are all that recovery.maxRestarts allows", decision.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decide_FaultsOutsideTheWindow_AreForgotten()
    {
        var snapshot = Jobs.Running(job =>
        {
            job.Spec.Recovery = new RecoverySpec { RestartWindow = "1h" };
            job.Status!.ChargedRestartTimes = [Jobs.Start, Jobs.Start, Jobs.Start];
        }).WithAgents(Jobs.Agent(0, RankState.Failed, 1)) with { Now = Jobs.Start.AddHours(2) };

        Assert.Equal(2, JobReconciler.Decide(snapshot).Status!.Attempt);
    }

    [Fact]
    public void Decide_AfterAFault_BacksOffTwiceAsLongEachTime()
    {
        var snapshot = Jobs.Running(job =>
        {
            job.Status = new TrainingJobStatus { Phase = TrainingPhase.Restarting, Attempt = 3, ChargedRestartTimes = [Jobs.Start, Jobs.Start], LastRestartTime = Jobs.Start };
            job.Spec.Recovery = new RecoverySpec { Backoff = "10s" };
        }) with { Agents = [] };

        var decision = JobReconciler.Decide(snapshot);

        Assert.Equal(("BackingOff", TimeSpan.FromSeconds(20)), (decision.Reason, decision.RequeueAfter));
    }

    [Fact]
    public void Decide_CheckpointCommitted_IsACondition()
    {
        Assert.Null(Checkpointed(Jobs.Running()));

        var committed = Jobs.Running(job => job.Status!.Checkpoint = new CheckpointStatus { Step = 50 });
        var condition = Checkpointed(committed)!;
        Assert.Equal(("True", "Committed", "there is a committed checkpoint; status.checkpoint names the newest"), (condition.Status, condition.Reason, condition.Message));

        // The only one was found damaged.
        var none = Checkpointed(Jobs.Running(job => (job.Status!.Checkpoint, job.Status.Conditions) = (new CheckpointStatus { Skipped = new CheckpointProblemStatus { Step = 50 } }, [condition])))!;
        Assert.Equal(("False", "None", "no committed checkpoint is left"), (none.Status, none.Reason, none.Message));

        static Condition? Checkpointed(JobSnapshot snapshot) => JobReconciler.Decide(snapshot).Status?.Conditions?.Find(one => one.Type == TrainingConditions.Checkpointed);
    }

    [Fact]
    public void Decide_EveryPodSucceeded_Succeeds()
    {
        var decision = JobReconciler.Decide(Jobs.Running() with { Pods = [Jobs.Pod(0, "Succeeded"), Jobs.Pod(1, "Succeeded")] });

        Assert.Equal((TrainingPhase.Succeeded, "Completed"), (decision.Status!.Phase, decision.Reason));
        Assert.Equal("True", decision.Status.Conditions!.First(condition => condition.Type == TrainingConditions.Finished).Status);
    }

    [Fact]
    public void Decide_SuspendAndResume_EndsThePodsAndGoesOnAtTheNextAttempt()
    {
        var running = Jobs.Running(job => job.Spec.Suspend = true);
        var suspending = JobReconciler.Decide(running);
        var suspended = JobReconciler.Decide(running.After(suspending));
        var resumed = JobReconciler.Decide(Jobs.New(job => job.Status = new TrainingJobStatus { Phase = TrainingPhase.Suspended, Attempt = 1 }));

        Assert.Equal((TrainingPhase.Running, 2), (suspending.Status!.Phase, suspending.Of<JobAction.DeletePod>().Length));
        Assert.Equal(TrainingPhase.Suspended, suspended.Status!.Phase);
        Assert.Equal((2, 0), (resumed.Status!.Attempt, resumed.Status.Restarts));
    }

    [Fact]
    public void Decide_Deleted_LetsGoOnlyWhenNoPodIsLeft()
    {
        var deleted = Jobs.Running(job => job.Metadata.DeletionTimestamp = Jobs.Start);

        Assert.Equal(2, JobReconciler.Decide(deleted).Of<JobAction.DeletePod>().Length);
        Assert.Single(JobReconciler.Decide(deleted with { Pods = [] }).Of<JobAction.RemoveFinalizer>());
    }

    [Fact]
    public void Decide_InvalidSpec_FailsWithEveryError()
    {
        var snapshot = Jobs.New() with { Errors = [new ValidationError("spec.a", "1", "is wrong", "write 2"), new ValidationError("spec.b", "x", "is odd", "leave it out")] };

        var decision = JobReconciler.Decide(snapshot);

        Assert.Equal((TrainingPhase.Failed, "spec.a: 1: is wrong; write 2; spec.b: x: is odd; leave it out"), (decision.Status!.Phase, decision.Message));
    }

    [Fact]
    public void Decide_Expired_DeletesTheJob()
    {
        var finished = Jobs.New(job =>
        {
            job.Status = new TrainingJobStatus { Phase = TrainingPhase.Succeeded, CompletionTime = Jobs.Start };
            job.Spec.TtlSecondsAfterFinished = 60;
        });

        Assert.Equal(TimeSpan.FromSeconds(60), JobReconciler.Decide(finished).RequeueAfter);
        Assert.Single(JobReconciler.Decide(finished with { Now = Jobs.Start.AddSeconds(60) }).Of<JobAction.DeleteJob>());
    }

    /// <summary>Whatever the pods and agents are: a gang is opened whole or not at all, restarts stay within the limit, and a finished job stays finished.</summary>
    [Fact]
    public void Decide_AnySnapshot_KeepsItsPromises() => Snapshots().Sample(snapshot =>
    {
        var decision = JobReconciler.Decide(snapshot);
        var placed = decision.Of<JobAction.PlaceGang>();
        var gated = snapshot.Pods.Count(pod => pod is { IsGated: true, IsLive: true });

        Assert.All(placed, place => Assert.Equal(gated, place.Placements.Length));
        Assert.True((decision.Status?.ChargedRestartTimes?.Count ?? 0) <= snapshot.Job.Spec.Recovery!.MaxRestarts);
        Assert.True((decision.Status?.Attempt ?? snapshot.Attempt) >= snapshot.Attempt);
        Assert.False(string.IsNullOrEmpty(decision.Reason) || string.IsNullOrEmpty(decision.Message));
        if (snapshot.Status.Phase is TrainingPhase.Succeeded or TrainingPhase.Failed && decision.Status is { } status)
        {
            Assert.Equal(snapshot.Status.Phase, status.Phase);
        }
    });

    private static JobSnapshot Assembled() => Jobs.New(job => job.Status = new TrainingJobStatus { Phase = TrainingPhase.Pending, Attempt = 1 }) with
    {
        Pods = [Jobs.Pod(0, "Pending") with { IsGated = true, Node = null }, Jobs.Pod(1, "Pending") with { IsGated = true, Node = null }],
    };

    private static Gen<int?> ExitCodes => OneOf<int?>(null, 0, 1, 10, 11, 13, 137);

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);

    private static Gen<JobSnapshot> Snapshots()
    {
        var pods = Gen.Select(Gen.Int[0, 1], OneOf("Pending", "Running", "Succeeded", "Failed"), Gen.Bool, Gen.Bool, Gen.Bool, ExitCodes)
            .Select((index, phase, gated, deleting, disrupted, exit) => Jobs.Pod(index, phase) with { IsGated = gated && phase == "Pending", IsDeleting = deleting, IsDisrupted = disrupted, ExitCode = exit });
        var agents = Gen.Select(Gen.Int[0, 1], Gen.Enum<RankState>(), ExitCodes).Select((index, state, exit) => Jobs.Agent(index, state, exit, Jobs.Start));
        var phases = OneOf(null, TrainingPhase.Pending, TrainingPhase.Starting, TrainingPhase.Running, TrainingPhase.Restarting, TrainingPhase.Suspended, TrainingPhase.Succeeded, TrainingPhase.Failed);
        return Gen.Select(phases, pods.Array[0, 3], agents.Array[0, 2], Gen.Int[0, 4], Gen.Int[0, 3], Gen.Bool).Select((phase, pod, agent, free, charged, suspend) => Jobs.New(job =>
        {
            job.Spec.Suspend = suspend;
            job.Status = new TrainingJobStatus { Phase = phase, Attempt = phase is null ? 0 : 1 + charged, ChargedRestartTimes = [.. Enumerable.Repeat(Jobs.Start, charged)] };
        }) with
        {
            Pods = [.. pod.DistinctBy(one => one.Index)],
            Agents = [.. agent.DistinctBy(one => one.PodUid)],
            Nodes = [new NodeSnapshot("node-0", true, "cpu", free)],
            Now = Jobs.Start.AddMinutes(30),
        });
    }
}
