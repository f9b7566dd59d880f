using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests.Policies;

public sealed class HangPolicyTests
{
    [Fact]
    public void Decide_NoStepForTheTimeout_NamesWhoTheOthersWaitFor()
    {
        var decision = JobReconciler.Decide(Stuck(60));

        Assert.Equal(("Hung", 2, 1), (decision.Reason, decision.Status!.Attempt, decision.Status.Restarts));
        Assert.StartsWith(
            "attempt 1 ended: no rank got further than step 12 for 60 s (recovery.hangTimeout is 1m): ranks 0, 1, 3 wait in all-gather 812 for up to 59 s; likely cause: rank 2 on node-0 (not in it; last in reduce-scatter 811)",
            decision.Message, StringComparison.Ordinal);
        Assert.Equal(["all-gather 812, waiting for 59 s", "all-gather 812, waiting for 59 s", "reduce-scatter 811", "all-gather 812, waiting for 59 s"], decision.Last().Ranks!.Select(rank => rank.LastCollective));
        Assert.Empty(decision.Actions);
    }

    [Fact]
    public void Decide_BeforeTheTimeout_LooksAgainWhenItIsOver()
    {
        var decision = JobReconciler.Decide(Stuck(58));

        Assert.Equal(("Training", TimeSpan.FromSeconds(2)), (decision.Reason, decision.RequeueAfter));
    }

    [Fact]
    public void Find_EveryRankInACollective_BlamesTheOneThatIsInAnother()
    {
        var split = Jobs.Running(Minute).WithAgents(Waiting(0, "all-gather 5"), Jobs.Training(1, 12, rank => rank with { LastCollective = rank.Rank == 3 ? "all-gather 4" : "all-gather 5", CollectiveSeconds = 59 })).HeardAt(60);

        Assert.Contains("ranks 0, 1, 2 wait in all-gather 5 for up to 59 s; likely cause: rank 3 on node-0 (in all-gather 4 for 59 s)", FailurePolicy.Find(split)!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_RanksThatNeverStartToTrain_AreHung()
    {
        var starting = Jobs.Running(Minute).WithAgents(Jobs.Training(0, 0), Jobs.Training(1, 0, rank => rank with { State = RankState.Starting })).HeardAt(60);

        Assert.Equal((true, "ranks 2, 3 still start after 60 s (recovery.hangTimeout is 1m)"), (FailurePolicy.Find(starting)!.IsCharged, FailurePolicy.Find(starting)!.Message));
    }

    [Fact]
    public void Find_OneAgentGotFurther_IsNoHang()
    {
        var moving = Stuck(60);

        Assert.Null(FailurePolicy.Find(moving with { Agents = [moving.Agents[0] with { ProgressAt = Jobs.Start.AddSeconds(1) }, moving.Agents[1]] }));
    }

    [Fact]
    public void Find_OperatorWasAway_CountsFromItsReturn() => Assert.Null(FailurePolicy.Find(Stuck(60) with { ListeningSince = Jobs.Start.AddSeconds(1) }));

    private static void Minute(TrainingJob job) => job.Spec.Recovery = new RecoverySpec { HangTimeout = "1m" };

    private static AgentSnapshot Waiting(int index, string collective) => Jobs.Training(index, 12, rank => rank with { LastCollective = collective, CollectiveSeconds = 59 });

    private static JobSnapshot Stuck(double seconds) => Jobs.Running(Minute).WithAgents(
        Waiting(0, "all-gather 812"),
        Jobs.Training(1, 12, rank => rank.Rank == 2 ? rank with { LastCollective = "reduce-scatter 811" } : rank with { LastCollective = "all-gather 812", CollectiveSeconds = 59 })).HeardAt(seconds);
}
