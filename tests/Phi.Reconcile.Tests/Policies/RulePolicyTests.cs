using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests.Policies;

public sealed class RulePolicyTests
{
    [Fact]
    public void Find_SeveralRulesMatch_TheFirstWins()
    {
        var failure = Find(new RecoveryRuleSpec { ExitCodes = [2], Action = "Fail" }, new RecoveryRuleSpec { ExitCodes = [1, 3], Action = "RestartFree" }, new RecoveryRuleSpec { Reasons = ["RankFailed"], Action = "Fail" });

        Assert.Equal((false, false), (failure.IsCharged, failure.IsFatal));
        Assert.EndsWith("recovery.rules[1] says RestartFree", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Restart", true, false)]
    [InlineData("RestartFree", false, false)]
    [InlineData("Fail", true, true)]
    [InlineData("ExcludeNode", true, false)]
    public void Find_Action_DecidesChargeAndEnd(string action, bool isCharged, bool isFatal)
    {
        var failure = Find(new RecoveryRuleSpec { MessageRegex = "ECC error \\d+", Action = action });

        Assert.Equal((isCharged, isFatal), (failure.IsCharged, failure.IsFatal));
    }

    [Theory]
    [InlineData(2, "RankFailed", "ECC")]
    [InlineData(1, "OOMKilled", "ECC")]
    [InlineData(1, "RankFailed", "^ECC$")]
    public void Find_OneMatcherOfTheRuleDoesNotMatch_TheRuleDoesNot(int code, string reason, string regex) =>
        Assert.DoesNotContain("recovery.rules", Find(new RecoveryRuleSpec { ExitCodes = [code], Reasons = [reason], MessageRegex = regex, Action = "Fail" }).Message, StringComparison.Ordinal);

    [Fact]
    public void Decide_ExcludeNode_ReplacesItsPodsAndKeepsAwayForTheJobsLife()
    {
        var decision = JobReconciler.Decide(Failed(new RecoveryRuleSpec { ExitCodes = [1], Action = "ExcludeNode" }));

        Assert.Equal((2, 1), (decision.Status!.Attempt, decision.Status.Restarts));
        var excluded = Assert.Single(decision.Status.ExcludedNodes!);
        Assert.Equal(("node-0", "RecoveryRule", null), (excluded.Node, excluded.Reason, excluded.Until));
        Assert.Equal(["job-0", "job-1"], decision.Of<Decisions.JobAction.DeletePod>().Select(pod => pod.Name));
    }

    [Fact]
    public void Decide_DisruptionThatARuleMakesFatal_FailsTheJob()
    {
        var evicted = Jobs.Running(job => job.Spec.Recovery = new RecoverySpec { Rules = [new RecoveryRuleSpec { Reasons = ["EvictionByEvictionAPI"], Action = "Fail" }] })
            .With(0, pod => pod with { Phase = "Failed", IsDisrupted = true, DisruptionReason = "EvictionByEvictionAPI" });

        Assert.Equal((TrainingPhase.Failed, "EvictionByEvictionAPI"), (JobReconciler.Decide(evicted).Status!.Phase, JobReconciler.Decide(evicted).Reason));
    }

    private static AttemptFailure Find(params RecoveryRuleSpec[] rules) => FailurePolicy.Find(Failed(rules))!;

    private static JobSnapshot Failed(params RecoveryRuleSpec[] rules) => Jobs.Running(job => job.Spec.Recovery = new RecoverySpec { Rules = [.. rules] })
        .WithAgents(Jobs.Agent(0), Jobs.Training(1, 7, rank => rank.Rank == 2 ? rank with { State = RankState.Failed, ExitCode = 1, Message = "GPU 3: ECC error 48" } : rank));
}
