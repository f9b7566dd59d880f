using Phi.Api.Agent;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests.Policies;

public sealed class LeavePolicyTests
{
    [Fact]
    public void Decide_EveryRankHasLeft_GoesOnFromTheStepTheySavedWithoutWaitingForThePod()
    {
        var decision = JobReconciler.Decide(Leaving(30).WithAgents(Left(0), Left(1)));

        Assert.Equal(("EvictionByEvictionAPI", 2, 0), (decision.Reason, decision.Status!.Attempt, decision.Status.Restarts));
        Assert.EndsWith("attempt 2 (free) goes on from the checkpoint of step 134: no step is lost", decision.Message, StringComparison.Ordinal);
        Assert.Empty(decision.Actions);
        Assert.Equal((134L, 134L, 0L), (decision.Last().Step, decision.Last().ResumeStep, decision.Last().LostSteps));
    }

    [Fact]
    public void Decide_RanksStillSave_Waits()
    {
        var decision = JobReconciler.Decide(Leaving(30).WithAgents(Jobs.Training(0, 134), Left(1)));

        Assert.Equal(("Training", (int?)1, TimeSpan.FromSeconds(1)), (decision.Reason, decision.Status!.Attempt, decision.RequeueAfter));
    }

    [Fact]
    public void Find_PodThatDoesNotEndWithinItsGrace_IsNoLongerWaitedFor()
    {
        var stuck = Leaving(30);

        Assert.Null(FailurePolicy.Find(stuck.HeardAt(34)));
        Assert.Contains("it did not end within its grace period", FailurePolicy.Find(stuck.HeardAt(35))!.Message, StringComparison.Ordinal);
    }

    /// <summary>A stopped process cannot save, so its grace is of no use.</summary>
    [Fact]
    public void Decide_LeavingPodFallsSilent_EndsTheAttemptAndShortensItsGrace()
    {
        var silent = Leaving(300).HeardAt(10) with { Agents = [Jobs.Agent(0) with { LastSeen = Jobs.Start.AddSeconds(10) }, Jobs.Agent(1)] };

        var decision = JobReconciler.Decide(silent);

        Assert.Equal((2, false), (decision.Status!.Attempt, decision.Last().Charged));
        Assert.Equal(("job-1", (long?)5), (Assert.Single(decision.Of<Decisions.JobAction.DeletePod>()).Name, decision.Of<Decisions.JobAction.DeletePod>()[0].GracePeriodSeconds));
    }

    [Fact]
    public void Find_RankKilledAtTheEndOfItsGrace_IsStillTheDeletion()
    {
        var killed = Leaving(30).WithAgents(Jobs.Agent(0, RankState.Failed, RankExitCodes.PeerLost), Jobs.Agent(1, RankState.Failed, 137));

        Assert.Equal((false, "EvictionByEvictionAPI"), (FailurePolicy.Find(killed)!.IsCharged, FailurePolicy.Find(killed)!.Reason));
    }

    private static AgentSnapshot Left(int index) => Jobs.Training(index, 134, rank => rank with { State = RankState.SavedAndLeft, ExitCode = RankExitCodes.SavedAndLeft });

    private static JobSnapshot Leaving(double grace) =>
        Jobs.Running().With(1, pod => pod with { IsDeleting = true, DeleteBy = Jobs.Start.AddSeconds(grace), IsDisrupted = true, DisruptionReason = "EvictionByEvictionAPI" });
}
