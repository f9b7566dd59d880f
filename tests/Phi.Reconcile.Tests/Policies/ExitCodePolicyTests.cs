using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests.Policies;

public sealed class ExitCodePolicyTests
{
    [Theory]
    [InlineData(1, true, false, "RankFailed", "rank 2 on node-0 failed with exit code 1: boom")]
    [InlineData(139, true, false, "RankFailed", "rank 2 on node-0 was ended by signal 11: boom")]
    [InlineData(137, true, false, "RankFailed", "rank 2 on node-0 was killed (signal 9), as happens when memory runs out: boom")]
    [InlineData(RankExitCodes.BadInput, true, true, "BadInput", "rank 2 on node-0 cannot use what it was given: boom")]
    [InlineData(RankExitCodes.Diverged, true, true, "LossDiverged", "the loss diverged after step 7 on batch 41 (rank 2): boom; recovery.divergence.action is Stop")]
    public void Find_RankExit_IsClassifiedByItsCode(int code, bool isCharged, bool isFatal, string reason, string message)
    {
        var failure = FailurePolicy.Find(Failed(code))!;

        Assert.Equal((isCharged, isFatal, reason, message), (failure.IsCharged, failure.IsFatal, failure.Reason, failure.Message));
    }

    [Fact]
    public void Find_RankThatWasSuperseded_IsFreeAndLookedAtLast()
    {
        var superseded = Failed(RankExitCodes.Superseded);

        Assert.Null(FailurePolicy.Find(superseded.HeardAt(2)));
        var failure = FailurePolicy.Find(superseded.HeardAt(3))!;
        Assert.Equal((false, "Superseded"), (failure.IsCharged, failure.Reason));
    }

    [Fact]
    public void Find_PodOutOfMemory_IsNamedBeforeTheSignalOfARank()
    {
        var failure = FailurePolicy.Find(Failed(137).With(1, pod => pod with { Phase = "Failed", Reason = "OOMKilled", ExitCode = 137 }))!;

        Assert.Equal(("OOMKilled", (int?)137), (failure.Reason, failure.ExitCode));
    }

    [Fact]
    public void Find_FaultBesideALostPeer_IsTheCause()
    {
        var both = Jobs.Running().WithAgents(Jobs.Agent(0, RankState.Failed, RankExitCodes.PeerLost, Jobs.Start), Jobs.Agent(1, RankState.Failed, 1, Jobs.Start)).HeardAt(60);

        Assert.Equal("RankFailed", FailurePolicy.Find(both)!.Reason);
    }

    [Fact]
    public void Decide_DivergenceWithRollback_LeavesTheBatchOut()
    {
        var decision = JobReconciler.Decide(Failed(RankExitCodes.Diverged, job =>
        {
            job.Spec.Recovery = new RecoverySpec { Divergence = new DivergenceSpec { Action = "Rollback" } };
            (job.Status!.SkippedBatches, job.Status.Rollbacks) = ([90, 40], 1);
        }));

        Assert.Equal(("LossDiverged", 2, 1), (decision.Reason, decision.Status!.Rollbacks, decision.Status.Restarts));
        Assert.Equal([40, 41, 90], decision.Status.SkippedBatches!);
        Assert.Contains("rollback 2 of at most 3, without that batch", decision.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decide_DivergenceAfterTheLastRollback_FailsTheJob()
    {
        var decision = JobReconciler.Decide(Failed(RankExitCodes.Diverged, job =>
        {
            job.Spec.Recovery = new RecoverySpec { Divergence = new DivergenceSpec { Action = "Rollback", MaxRollbacks = 2 } };
            job.Status!.Rollbacks = 2;
        }));

        Assert.Equal((TrainingPhase.Failed, "LossDiverged", 2), (decision.Status!.Phase, decision.Reason, decision.Status.Rollbacks));
        Assert.Null(decision.Status.SkippedBatches);
        Assert.Contains("2 rollbacks are all that recovery.divergence.maxRollbacks allows", decision.Message, StringComparison.Ordinal);
    }

    private static JobSnapshot Failed(int code, Action<TrainingJob>? change = null) => Jobs.Running(change).WithAgents(
        Jobs.Training(0, 7),
        Jobs.Training(1, 7, rank => rank.Rank == 2 ? rank with { State = RankState.Failed, ExitCode = code, Message = "boom", DivergedBatch = code == RankExitCodes.Diverged ? 41 : null } : rank) with { EndedSince = Jobs.Start });
}
