using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests.Policies;

public sealed class ReplacementPolicyTests
{
    /// <summary>A machine goes dark and the API server still calls it ready: its last sign of life was at 0 s.</summary>
    [Fact]
    public void Decide_MachineGoesDark_PlacesTheGangElsewhereWithin30Seconds()
    {
        var snapshot = Jobs.Running().With(1, pod => pod with { Node = "node-1" }) with { Nodes = [.. Enumerable.Range(0, 3).Select(index => Jobs.Node(index) with { Free = 2 })] };
        var reasons = new List<string>();
        for (var second = 0.0; snapshot.Status.Phase != TrainingPhase.Starting && second < 60; second++)
        {
            // The healthy agent is heard every second; only a forced deletion removes a pod of the dark machine.
            var now = Jobs.Start.AddSeconds(second);
            snapshot = snapshot with { Now = now, Agents = [Jobs.Agent(0) with { LastSeen = now }, Jobs.Agent(1)] };
            for (var round = 0; round < 5; round++)
            {
                var decision = JobReconciler.Decide(snapshot);
                reasons.Add(decision.Reason);
                snapshot = Carry(snapshot, decision);
            }
        }

        Assert.Equal(TrainingPhase.Starting, snapshot.Status.Phase);
        Assert.True(snapshot.Now <= Jobs.Start.AddSeconds(30), $"placed after {(snapshot.Now - Jobs.Start).TotalSeconds} s");
        Assert.Equal(["job-0", "job-a2-1"], snapshot.Pods.Select(pod => pod.Name));
        Assert.Equal((2, 0, 1), (snapshot.Status.Attempt, snapshot.Status.Restarts, snapshot.Status.FreeRestarts));
        Assert.Contains("Fenced", reasons);
        Assert.Equal(("node-1", "NodeSilent"), (Assert.Single(snapshot.Status.ExcludedNodes!).Node, snapshot.Status.ExcludedNodes![0].Reason));
    }

    [Fact]
    public void Decide_SilentPodOnANodeThatIsDown_IsForcedAtOnceWhenTheNextAttemptIsWritten()
    {
        var down = Jobs.Running(job => (job.Status!.Attempt, job.Status.Phase) = (2, TrainingPhase.Restarting)).With(1, pod => pod with { Node = "node-1", IsDeleting = true, DeleteBy = Jobs.Start.AddSeconds(20) }).HeardAt(15)
            with { Nodes = [Jobs.Node(0), Jobs.Node(1, "Unknown")] };
        down = down with { Agents = [down.Agents[0], Jobs.Agent(1)] };

        var decision = JobReconciler.Decide(down);

        Assert.Equal(("job-1", (long?)0), (Assert.Single(decision.Of<JobAction.DeletePod>()).Name, decision.Of<JobAction.DeletePod>()[0].GracePeriodSeconds));
        Assert.StartsWith("pod job-1 on node-1 is removed by force: node node-1 is not ready", decision.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decide_AttemptStillAssignable_ForcesNothing()
    {
        var running = Jobs.Running().With(1, pod => pod with { Node = "node-1", IsDeleting = true, DeleteBy = Jobs.Start.AddSeconds(5) }).HeardAt(15) with { Nodes = [Jobs.Node(0), Jobs.Node(1, "Unknown")] };
        running = running with { Agents = [running.Agents[0], Jobs.Agent(1)] };

        var decision = JobReconciler.Decide(running);

        Assert.DoesNotContain(decision.Of<JobAction.DeletePod>(), pod => pod.GracePeriodSeconds == 0);
        Assert.Equal(2, decision.Status!.Attempt);
    }

    [Fact]
    public void Decide_OverduePodWhoseAgentIsHeard_IsLeftToItsNode()
    {
        var slow = Jobs.Running(job => (job.Status!.Attempt, job.Status.Phase) = (2, TrainingPhase.Restarting)).With(1, pod => pod with { IsDeleting = true, DeleteBy = Jobs.Start }).HeardAt(60);

        Assert.Empty(JobReconciler.Decide(slow).Actions);
    }

    [Theory]
    [InlineData("NodeSilent", 0)]
    [InlineData("NotBound: 0/3 nodes are available", 0)]
    [InlineData("Straggler", 1)]
    [InlineData("RecoveryRule", 1)]
    public void Decide_PodThatRunsOnAnExcludedNode_LeavesItOnlyIfTheNodeIsWhatIsWrong(string reason, int replaced)
    {
        var restarting = Jobs.Running(job => job.Status = new TrainingJobStatus
        {
            Attempt = 2,
            Phase = TrainingPhase.Restarting,
            ExcludedNodes = [new ExcludedNodeStatus { Node = "node-1", Reason = reason, Until = Jobs.Start.AddMinutes(1) }],
        }).With(1, pod => pod with { Node = "node-1" });

        Assert.Equal(replaced, JobReconciler.Decide(restarting).Of<JobAction.DeletePod>().Length);
    }

    /// <summary>kubectl delete must end, whatever became of the machines.</summary>
    [Fact]
    public void Decide_DeletedJobWithAPodOnADeadNode_ForcesItAway()
    {
        var deleted = Jobs.Running(job => job.Metadata.DeletionTimestamp = Jobs.Start).With(1, pod => pod with { Node = "node-1", IsDeleting = true, DeleteBy = Jobs.Start.AddSeconds(30) })
            with { Nodes = [Jobs.Node(0), Jobs.Node(1, "Unknown")], Now = Jobs.Start.AddSeconds(35) };

        Assert.Contains(JobReconciler.Decide(deleted).Of<JobAction.DeletePod>(), pod => pod is { Name: "job-1", GracePeriodSeconds: 0 });
    }

    [Fact]
    public void Decide_HealthyPodOnANodeThatIsNotReady_IsReplacedOnlyOnceItsAgentIsUnheard()
    {
        var down = Jobs.Running(job => (job.Status!.Attempt, job.Status.Phase) = (2, TrainingPhase.Restarting)).HeardAt(5) with { Nodes = [Jobs.Node(0, "False"), Jobs.Node(1)] };

        Assert.Empty(JobReconciler.Decide(down).Of<JobAction.DeletePod>());
        Assert.Equal(2, JobReconciler.Decide(down with { Agents = [Jobs.Agent(0), Jobs.Agent(1)] }).Of<JobAction.DeletePod>().Length);
    }

    /// <summary>A node that is dark does nothing: a pod that is deleted stays, marked, until it is forced.</summary>
    private static JobSnapshot Carry(JobSnapshot snapshot, JobDecision decision)
    {
        var kept = decision.Of<JobAction.DeletePod>().Where(delete => delete.GracePeriodSeconds != 0).ToDictionary(delete => delete.Uid, delete => snapshot.Now.AddSeconds(delete.GracePeriodSeconds ?? 30));
        var after = snapshot.After(decision with { Actions = [.. decision.Actions.Where(action => action is not JobAction.DeletePod delete || !kept.ContainsKey(delete.Uid))] });
        return after with { Pods = [.. after.Pods.Select(pod => kept.TryGetValue(pod.Uid, out var by) ? pod with { IsDeleting = true, DeleteBy = by } : pod)] };
    }
}
