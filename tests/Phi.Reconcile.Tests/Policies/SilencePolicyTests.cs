using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests.Policies;

public sealed class SilencePolicyTests
{
    [Fact]
    public void Decide_AgentSilentForTheTimeout_EndsTheAttemptForFreeAndReplacesItsPodAlone()
    {
        var snapshot = OneSilent(10);

        Assert.Equal(("Training", TimeSpan.FromSeconds(0.1)), (JobReconciler.Decide(OneSilent(9.9)).Reason, JobReconciler.Decide(OneSilent(9.9)).RequeueAfter));
        var decision = JobReconciler.Decide(snapshot);
        Assert.Equal(("AgentSilent", 2, 0, 1), (decision.Reason, decision.Status!.Attempt, decision.Status.Restarts, decision.Status.FreeRestarts));
        Assert.Equal(("job-1", (long?)5), (Assert.Single(decision.Of<Decisions.JobAction.DeletePod>()).Name, decision.Of<Decisions.JobAction.DeletePod>()[0].GracePeriodSeconds));
        Assert.Contains("the agent of pod job-1 on node-0 has been silent for 10 s", decision.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_OperatorThatHasJustBegunToListen_BlamesNobody() => Assert.Null(FailurePolicy.Find(OneSilent(60) with { ListeningSince = Jobs.Start.AddSeconds(55) }));

    [Fact]
    public void Find_AgentThatNeverReported_CountsFromWhenItsPodRan()
    {
        var never = (Jobs.Running(job => job.Status!.Phase = TrainingPhase.Starting) with { Agents = [Jobs.Agent(0)] }).HeardAt(60).With(1, pod => pod with { RunningSince = Jobs.Start.AddSeconds(31) });

        Assert.Null(FailurePolicy.Find(never));
        var failure = FailurePolicy.Find(never.With(1, pod => pod with { RunningSince = Jobs.Start.AddSeconds(30) }))!;
        Assert.Equal((true, "AgentNeverReported"), (failure.IsCharged, failure.Reason));
    }

    /// <summary>The operator before this one heard it, or the attempt would not train.</summary>
    [Fact]
    public void Find_AgentOfATrainingAttemptUnheardSinceTheOperatorStarted_IsSilentAndFree()
    {
        var unheard = (Jobs.Running() with { Agents = [Jobs.Agent(0)], ListeningSince = Jobs.Start.AddSeconds(30) }).HeardAt(60).With(1, pod => pod with { RunningSince = Jobs.Start });

        Assert.Null(FailurePolicy.Find(unheard with { ListeningSince = Jobs.Start.AddSeconds(31) }));
        Assert.Equal((false, "AgentSilent"), (FailurePolicy.Find(unheard)!.IsCharged, FailurePolicy.Find(unheard)!.Reason));
    }

    [Fact]
    public void Find_AgentWhoseRanksCompleted_HasTimeToHandOverItsEvents()
    {
        var done = Jobs.Running().WithAgents(Jobs.Agent(0) with { LastSeen = Jobs.Start.AddSeconds(60) }, Jobs.Training(1, 10, rank => rank with { State = RankState.Completed })) with { Now = Jobs.Start.AddSeconds(60) };

        Assert.Null(FailurePolicy.Find(done));
        Assert.Equal("AgentSilent", FailurePolicy.Find(done.HeardAt(601) with { Agents = done.Agents })!.Reason);
    }

    [Fact]
    public void Find_ContainerJob_HasNoAgentToHear()
    {
        var container = Jobs.Running(job => (job.Spec.Phi, job.Spec.Container) = (null, new ContainerSpec { Image = "image" })).With(0, pod => pod with { RunningSince = Jobs.Start }) with { Agents = [], Now = Jobs.Start.AddHours(1) };

        Assert.Null(FailurePolicy.Find(container));
    }

    /// <summary>The peers of a dead machine lose it before it is known to be dead; its silence is what they must be explained by.</summary>
    [Fact]
    public void Find_PeerLostWhileAnAgentIsLate_WaitsForItsSilence()
    {
        JobSnapshot At(double seconds) => Jobs.Running().WithAgents(
            Jobs.Agent(0, RankState.Failed, RankExitCodes.PeerLost, Jobs.Start) with { LastSeen = Jobs.Start.AddSeconds(seconds) }, Jobs.Agent(1)) with { Now = Jobs.Start.AddSeconds(seconds) };

        Assert.Null(FailurePolicy.Find(At(5)));
        Assert.Equal((false, "AgentSilent"), (FailurePolicy.Find(At(10))!.IsCharged, FailurePolicy.Find(At(10))!.Reason));
    }

    private static JobSnapshot OneSilent(double seconds) => Jobs.Running().WithAgents(Jobs.Agent(0) with { LastSeen = Jobs.Start.AddSeconds(seconds) }, Jobs.Agent(1)) with { Now = Jobs.Start.AddSeconds(seconds) };
}
