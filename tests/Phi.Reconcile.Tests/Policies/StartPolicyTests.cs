using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests.Policies;

/// <summary>Gangs of which one pod is bound to its node and does not begin to run.</summary>
public sealed class StartPolicyTests
{
    private const string Words = "Back-off pulling image \"registry/none:1\": ErrImagePull: not found";

    [Fact]
    public void Decide_ImageThatCannotBePulled_IsToldBeforeItsTimeIsOver()
    {
        var decision = JobReconciler.Decide(Pulling(599));

        Assert.Equal(("Starting", TimeSpan.FromSeconds(1), true), (decision.Reason, decision.RequeueAfter, decision.IsWarning));
        var training = decision.Status!.Conditions!.Find(condition => condition.Type == TrainingConditions.Training)!;
        Assert.Equal(("False", "Starting", $"attempt 1 is starting: pod job-1 on node-0 cannot start: ImagePullBackOff: {Words}"), (training.Status, training.Reason, training.Message));
    }

    [Fact]
    public void Decide_ImageThatCannotBePulledInTime_EndsTheAttemptChargedAndReplacesThePod()
    {
        var snapshot = Pulling(600);

        var decision = JobReconciler.Decide(snapshot);
        var backingOff = JobReconciler.Decide(snapshot.After(decision));

        Assert.Equal(("StartTimeout", 2, 1, 0), (decision.Reason, decision.Status!.Attempt, decision.Status.Restarts, decision.Status.FreeRestarts));
        Assert.Equal($"pod job-1 on node-0 has not started within recovery.startTimeout (10m): ImagePullBackOff: {Words}", decision.Last().Message);
        Assert.Equal("job-1", Assert.Single(decision.Of<JobAction.DeletePod>()).Name);
        Assert.Null(decision.Status.ExcludedNodes);
        Assert.Equal("BackingOff", backingOff.Reason);
    }

    [Fact]
    public void Decide_PodOfAnEarlierAttemptThatWasNotDeletedYet_IsReplaced()
    {
        var snapshot = Pulling(600);
        var left = snapshot.After(JobReconciler.Decide(snapshot) with { Actions = [] });

        var decision = JobReconciler.Decide(left);

        Assert.Equal(("Replacing", "job-1"), (decision.Reason, Assert.Single(decision.Of<JobAction.DeletePod>()).Name));
    }

    [Fact]
    public void Decide_RestartsAreUsedUp_FailsWithTheNodesWords()
    {
        var decision = JobReconciler.Decide(Pulling(600, job => job.Spec.Recovery = new RecoverySpec { MaxRestarts = 0 }));

        Assert.Equal(("MaxRestartsExceeded", TrainingPhase.Failed), (decision.Reason, decision.Status!.Phase));
        Assert.Contains($"ImagePullBackOff: {Words}", decision.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decide_ContainerCreatingForEver_LeavesTheNodeOut()
    {
        var decision = JobReconciler.Decide(Pulling(600).With(1, pod => pod with { WaitingReason = "ContainerCreating", WaitingMessage = null }));

        Assert.Equal("pod job-1 on node-0 has not started within recovery.startTimeout (10m): ContainerCreating; its events say more: kubectl describe pod job-1", decision.Last().Message);
        var excluded = Assert.Single(decision.Status!.ExcludedNodes!);
        Assert.Equal(("node-0", "NotStarted", TimeSpan.FromMinutes(1)), (excluded.Node, excluded.Reason, excluded.Until - excluded.Since));
    }

    [Fact]
    public void Find_SidecarThatCrashesEachTime_CountsThoughAnotherContainerRuns()
    {
        var crashing = Pulling(600).With(1, pod => pod with { Phase = "Running", WaitingReason = "CrashLoopBackOff", WaitingMessage = "back-off 5m0s restarting failed container=phi-progress" });

        Assert.Contains("CrashLoopBackOff: back-off 5m0s", FailurePolicy.Find(crashing)!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_PodThatRuns_OrEnded_OrHasNoNodeYet_NeedNotStart()
    {
        var late = Pulling(6000);

        Assert.Null(FailurePolicy.Find(late.With(1, pod => pod with { Phase = "Running", WaitingReason = null })));
        Assert.Null(FailurePolicy.Find(late.With(1, pod => pod with { Phase = "Running", RunningSince = late.Now })));
        Assert.Null(FailurePolicy.Find(late.With(1, pod => pod with { Node = null })));
        Assert.Equal("RankFailed", FailurePolicy.Find(late.With(1, pod => pod with { Phase = "Failed", ExitCode = 1 }))!.Reason);
    }

    [Fact]
    public void Find_BoundAtAnUnknownTime_CountsFromThePlacement()
    {
        var unknown = Pulling(599, job => job.Status!.Conditions = [new Condition { Type = TrainingConditions.Placed, Status = "True", LastTransitionTime = Jobs.Start }]).With(1, pod => pod with { BoundSince = null });

        Assert.Null(FailurePolicy.Find(unknown));
        Assert.Equal("StartTimeout", FailurePolicy.Find(unknown with { Now = Jobs.Start.AddSeconds(600) })!.Reason);
    }

    [Fact]
    public void Find_NodeThatIsDown_IsADisruption()
    {
        var down = Pulling(600) with { Nodes = [Jobs.Node(0, "Unknown")] };

        Assert.Equal((false, "NodeUnreachable"), (FailurePolicy.Find(down)!.IsCharged, FailurePolicy.Find(down)!.Reason));
    }

    /// <summary>So many seconds after both pods were bound; the second pulls its image.</summary>
    private static JobSnapshot Pulling(double seconds, Action<TrainingJob>? change = null) => (Jobs.Running(job =>
    {
        job.Status!.Phase = TrainingPhase.Starting;
        change?.Invoke(job);
    }) with { Agents = [] }).With(1, pod => pod with { Phase = "Pending", BoundSince = Jobs.Start, WaitingReason = "ImagePullBackOff", WaitingMessage = Words }) with { Now = Jobs.Start.AddSeconds(seconds) };
}
