using Phi.Api.TrainingJobs;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests.Policies;

public sealed class RestartPolicyTests
{
    [Theory]
    [InlineData("1s", 1, 1)]
    [InlineData("1s", 4, 8)]
    [InlineData("10s", 6, 300)]
    [InlineData("100000h", 20, 300)]
    public void Remaining_AfterChargedRestarts_DoublesUpTo5Minutes(string backoff, int restarts, double seconds) =>
        Assert.Equal(seconds, RestartPolicy.Remaining(Restarted(backoff, restarts)).TotalSeconds);

    [Fact]
    public void Remaining_AfterAFreeRestart_IsNone()
    {
        var free = Restarted("10s", 2);
        free.Job.Status!.LastRestartTime = Jobs.Start.AddSeconds(1);

        Assert.Equal(TimeSpan.Zero, RestartPolicy.Remaining(free));
    }

    [Fact]
    public void Decide_ChargedRestartWithAWindow_DropsTheTimesThatItNoLongerCounts()
    {
        var snapshot = Jobs.Running(job =>
        {
            job.Spec.Recovery = new RecoverySpec { RestartWindow = "1h" };
            job.Status!.ChargedRestartTimes = [Jobs.Start.AddHours(-2), Jobs.Start.AddMinutes(-59)];
        }).WithAgents(Jobs.Agent(0), Jobs.Agent(1, Api.Agent.RankState.Failed, 1));

        Assert.Equal([Jobs.Start.AddMinutes(-59), Jobs.Start], JobReconciler.Decide(snapshot).Status!.ChargedRestartTimes!);
    }

    private static JobSnapshot Restarted(string backoff, int restarts) => Jobs.New(job =>
    {
        job.Spec.Recovery = new RecoverySpec { Backoff = backoff, MaxRestarts = 100 };
        job.Status = new TrainingJobStatus { Phase = TrainingPhase.Restarting, Attempt = restarts + 1, ChargedRestartTimes = [.. Enumerable.Repeat(Jobs.Start, restarts)], LastRestartTime = Jobs.Start };
    });
}
