using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests;

/// <summary>Jobs of 1 to 4 pods: smaller when there is no room, larger again at a checkpoint.</summary>
public sealed class ElasticTests
{
    [Fact]
    public void Decide_NewJobWithoutRoomForAll_WaitsThenStartsWithWhatFits()
    {
        var snapshot = New([GangPlacementTests.Node("a", 6)]);
        snapshot = Run(snapshot, "CreatingPods");
        Assert.Equal(4, snapshot.Pods.Length);

        var waiting = JobReconciler.Decide(snapshot);
        var reasons = new List<string>();
        snapshot = snapshot.After(waiting) with { Now = Jobs.Start.AddSeconds(10) };
        snapshot = Run(snapshot, "Placed", reasons);

        Assert.Equal(("InsufficientCapacity", TimeSpan.FromSeconds(10)), (waiting.Reason, waiting.RequeueAfter));
        Assert.Equal(["Resized", "CreatingPods", "Placed"], reasons);
        Assert.Equal((3, "3/3"), (snapshot.Status.Replicas, JobReconciler.Decide(snapshot).Status!.Ready));
        Assert.Equal([0, 1, 2], snapshot.Pods.Select(pod => pod.Index).Order());
    }

    [Fact]
    public void Decide_Resized_SaysWhy()
    {
        var snapshot = Run(New([GangPlacementTests.Node("a", 6)]), "CreatingPods") with { Now = Jobs.Start.AddSeconds(10) };

        Assert.Equal("attempt 1 has 3 of 4 pods (minReplicas is 1): 4 pods of 2 cpu do not fit: 6 are free on 1 node", JobReconciler.Decide(snapshot).Message);
    }

    [Fact]
    public void Decide_BelowMinReplicas_Waits()
    {
        var snapshot = Run(New([GangPlacementTests.Node("a", 2)], job => job.Spec.MinReplicas = 2), "CreatingPods") with { Now = Jobs.Start.AddMinutes(1) };

        var decision = JobReconciler.Decide(snapshot);

        Assert.Equal("InsufficientCapacity", decision.Reason);
        Assert.Empty(decision.Actions);
    }

    [Fact]
    public void Decide_NodeLost_ShrinksAtOnceAndKeepsIndicesContiguous()
    {
        // Pod 1 of four is lost with its node; there is no other.
        var snapshot = Running(4, [GangPlacementTests.Node("a", 0), GangPlacementTests.Node("b", 0), GangPlacementTests.Node("d", 0)], job =>
        {
            job.Status!.Phase = TrainingPhase.Restarting;
            job.Status.Attempt = 2;
        });
        snapshot = snapshot with { Pods = [.. new[] { (0, "a"), (2, "b"), (3, "d") }.Select(pod => Jobs.Pod(pod.Item1) with { Node = pod.Item2, Attempt = 1, GangSize = 4 })] };

        var decision = JobReconciler.Decide(snapshot);
        var reasons = new List<string>();
        var after = snapshot.After(decision) with { Nodes = [GangPlacementTests.Node("a", 0), GangPlacementTests.Node("b", 0), GangPlacementTests.Node("d", 2)] };
        after = Run(after, "Placed", reasons);

        Assert.Equal(("Resized", 3, "job-3"), (decision.Reason, decision.Status!.Replicas, Assert.Single(decision.Of<JobAction.DeletePod>()).Name));
        Assert.Equal(["CreatingPods", "Placed"], reasons);
        Assert.Equal([(0, "a"), (1, "d"), (2, "b")], after.Pods.Select(pod => (pod.Index, pod.Node!)).Order());
    }

    [Fact]
    public void Decide_RoomForMoreAtACheckpoint_AsksTheRanksToLeave()
    {
        var snapshot = Growable(checkpointAfter: 31);

        var decision = JobReconciler.Decide(snapshot);

        Assert.Equal("Growing", decision.Reason);
        Assert.Empty(decision.Actions);
        Assert.Equal("there is room for 3 of 4 pods: attempt 1 with 2 saves and leaves", decision.Message);
        Assert.Contains(decision.Status!.Conditions!, condition => condition is { Type: TrainingConditions.Resizing, Status: "True" });
    }

    [Fact]
    public void Decide_RoomForMoreButNoCheckpointYet_TrainsOn()
    {
        Assert.Equal("Training", JobReconciler.Decide(Growable(checkpointAfter: 29)).Reason);
        Assert.Equal("Training", JobReconciler.Decide(Growable(checkpointAfter: 31) with { Nodes = [GangPlacementTests.Node("node-0", 1)] }).Reason);
        Assert.Equal("Training", JobReconciler.Decide(Growable(checkpointAfter: 31) with { Admission = new QueueAdmission(AdmissionState.Granted, 2, "Admitted", "2 pods") }).Reason);
    }

    [Fact]
    public void Decide_AllSavedAndLeftToGrow_RestartsFreeWithMorePods()
    {
        var asked = Growable(checkpointAfter: 31);
        asked = asked.After(JobReconciler.Decide(asked));
        var half = asked.With(0, pod => pod with { Phase = "Failed", ExitCode = RankExitCodes.SavedAndLeft });
        var all = half.With(1, pod => pod with { Phase = "Failed", ExitCode = RankExitCodes.SavedAndLeft });

        Assert.Equal("there is room for 3 of 4 pods: attempt 1 with 2 saves and leaves", JobReconciler.Decide(asked).Message);
        var waiting = JobReconciler.Decide(half);
        var decision = JobReconciler.Decide(all);
        var reasons = new List<string>();
        // The room of the pods that left is free again.
        var grown = Run(all.After(decision) with { Nodes = [GangPlacementTests.Node("node-0", 6)] }, "Placed", reasons);

        Assert.Equal(("Growing", "waiting for 1 of 2 pods to save and leave"), (waiting.Reason, waiting.Message));
        Assert.Equal(("Growing", 2, 0, 1), (decision.Reason, decision.Status!.Attempt, decision.Status.Restarts, decision.Status.FreeRestarts));
        Assert.Equal(["Resized", "CreatingPods", "Placed"], reasons);
        Assert.Equal((3, 3), (grown.Status.Replicas, grown.Pods.Length));
        Assert.Contains(grown.Status.Conditions!, condition => condition is { Type: TrainingConditions.Resizing, Status: "False" });
    }

    [Fact]
    public void Decide_AgentSilentWhileLeavingToGrow_IsNotWaitedFor()
    {
        var asked = Growable(checkpointAfter: 31);
        var half = asked.After(JobReconciler.Decide(asked)).With(0, pod => pod with { Phase = "Failed", ExitCode = RankExitCodes.SavedAndLeft });

        var decision = JobReconciler.Decide(half with { Now = half.Now.AddSeconds(10) });

        Assert.Equal(("Growing", 2), (decision.Reason, decision.Status!.Attempt));
        Assert.Equal(["job-0", "job-1"], decision.Of<JobAction.DeletePod>().Select(delete => delete.Name));
    }

    [Fact]
    public void Decide_QueueSaysNothingYet_KeepsTheSizeThatHasQuota()
    {
        var growable = Growable(checkpointAfter: 31);
        growable.Job.Spec.Queue = "research";
        growable.Job.Status!.Conditions!.Add(new Condition { Type = TrainingConditions.QuotaReserved, Status = "True" });

        Assert.Equal("Training", JobReconciler.Decide(growable).Reason);
    }

    [Fact]
    public void Decide_FaultWhileLeavingToGrow_IsAFault()
    {
        var asked = Growable(checkpointAfter: 31);
        asked = asked.After(JobReconciler.Decide(asked)).WithAgents(Jobs.Agent(0), Jobs.Agent(1, RankState.Failed, 137));

        Assert.Equal("RankFailed", JobReconciler.Decide(asked).Reason);
    }

    private static JobSnapshot New(NodeSnapshot[] nodes, Action<TrainingJob>? change = null) => Jobs.New(job =>
    {
        (job.Spec.Replicas, job.Spec.MinReplicas) = (4, 1);
        job.Status = new TrainingJobStatus { Phase = TrainingPhase.Pending, Attempt = 1 };
        change?.Invoke(job);
    }) with { Nodes = [.. nodes] };

    private static JobSnapshot Running(int size, NodeSnapshot[] nodes, Action<TrainingJob>? change = null) => New(nodes, job =>
    {
        job.Status = new TrainingJobStatus { Phase = TrainingPhase.Running, Attempt = 1, StartTime = Jobs.Start, Replicas = size, Conditions = [new Condition { Type = TrainingConditions.Training, Status = "True", LastTransitionTime = Jobs.Start }] };
        change?.Invoke(job);
    }) with
    {
        Pods = [.. Enumerable.Range(0, size).Select(index => Jobs.Pod(index) with { Attempt = 1, GangSize = size })],
        Agents = [.. Enumerable.Range(0, size).Select(index => Jobs.Agent(index))],
    };

    /// <summary>Two pods of four run, and a third would fit.</summary>
    private static JobSnapshot Growable(int checkpointAfter) => Running(2, [GangPlacementTests.Node("node-0", 2)], job => job.Status!.Checkpoint = new CheckpointStatus { Step = 5, Time = Jobs.Start.AddSeconds(checkpointAfter) }).HeardAt(60);

    /// <summary>Decides and executes until a reason comes up, at most ten times.</summary>
    private static JobSnapshot Run(JobSnapshot snapshot, string until, List<string>? reasons = null)
    {
        for (var i = 0; i < 10; i++)
        {
            var decision = JobReconciler.Decide(snapshot);
            reasons?.Add(decision.Reason);
            snapshot = snapshot.After(decision);
            if (decision.Reason == until)
            {
                return snapshot;
            }
        }

        throw new InvalidOperationException($"no decision {until}: {string.Join(", ", reasons ?? [])}");
    }
}
