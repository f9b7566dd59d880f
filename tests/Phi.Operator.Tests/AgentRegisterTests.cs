using Microsoft.Extensions.Time.Testing;
using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Operator.AgentApi;
using Xunit;

namespace Phi.Operator.Tests;

public sealed class AgentRegisterTests
{
    private static readonly StragglerSpec Stragglers = new() { Factor = 2, Steps = 20 };
    private readonly FakeTimeProvider _time = new();
    private readonly AgentRegister _register;

    public AgentRegisterTests() => _register = new AgentRegister(_time);

    [Fact]
    public void Beat_RanksStandStill_KeepsTheTimeOfTheirLastProgress()
    {
        var start = _time.GetUtcNow();
        Beat("a", step: 1);
        _time.Advance(TimeSpan.FromSeconds(5));
        Beat("a", step: 1);

        Assert.Equal((start, start.AddSeconds(5)), (_register.Get("a")!.ProgressAt, _register.Get("a")!.LastSeen));
        Beat("a", step: 2);
        Assert.Equal(start.AddSeconds(5), _register.Get("a")!.ProgressAt);
    }

    [Fact]
    public void Beat_StateLeavingOrNoticeChange_IsNewsAndAStepIsNot()
    {
        Assert.True(Beat("a", step: 1));
        Assert.False(Beat("a", step: 2));
        Assert.True(Beat("a", step: 2, change: beat => beat with { Leaving = true }));
        Assert.True(Beat("a", step: 2, change: beat => beat with { Leaving = true, Notice = new DisruptionNotice("file", "Preempt", null) }));
        Assert.True(Beat("a", step: 2, state: RankState.Failed, change: beat => beat with { Leaving = true, Notice = new DisruptionNotice("file", "Preempt", null) }));
    }

    [Fact]
    public void Beat_OfAnOlderAttempt_ChangesNothing()
    {
        Beat("a", step: 1, attempt: 2);

        Assert.False(Beat("a", step: 9, attempt: 1));
        Assert.Equal((2, 1L), (_register.Get("a")!.Attempt, _register.Get("a")!.Ranks[0].Step));
    }

    [Fact]
    public void Hear_AgentThatWaitsForItsPart_IsASignOfLife()
    {
        _register.Hear("a");
        Assert.Equal((0, 0), (_register.Get("a")!.Attempt, _register.Get("a")!.Ranks.Length));
        Beat("a", step: 3);
        _time.Advance(TimeSpan.FromSeconds(9));
        _register.Hear("a");

        Assert.Equal((1, 3L, _time.GetUtcNow()), (_register.Get("a")!.Attempt, _register.Get("a")!.Ranks[0].Step, _register.Get("a")!.LastSeen));
    }

    [Fact]
    public void Beat_RankThatStaysSlow_BecomesNewsWhenItIsAStraggler()
    {
        Beat("b", step: 0, seconds: 1);
        Beat("c", step: 0, seconds: 1);
        Beat("a", step: 0, seconds: 3);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.False(Beat("a", step: 19, seconds: 3));
        Assert.True(Beat("a", step: 20, seconds: 3));
        Assert.False(Beat("a", step: 21, seconds: 3));
        Assert.Equal(21, _register.Get("a")!.SlowSteps[0]);
        Assert.True(Beat("a", step: 22, seconds: 1));
    }

    [Fact]
    public void Forget_PodThatIsGone_LeavesNothing()
    {
        Beat("a", step: 1);
        _register.Forget("a");

        Assert.Equal(0, _register.Count);
    }

    [Fact]
    public void CountSilent_OneOfTwoIsHeard_CountsTheOther()
    {
        Beat("a", step: 1);
        Beat("b", step: 1);
        _time.Advance(TimeSpan.FromSeconds(10));
        _register.Hear("a");

        Assert.Equal(1, _register.CountSilent(TimeSpan.FromSeconds(10)));
        _register.Clear();
        Assert.Equal(0, _register.CountSilent(TimeSpan.FromSeconds(10)));
    }

    private bool Beat(string pod, long step, int attempt = 1, RankState state = RankState.Training, double? seconds = null, Func<Heartbeat, Heartbeat>? change = null)
    {
        var beat = new Heartbeat
        {
            Namespace = "default",
            Job = "job",
            JobUid = "uid",
            Pod = pod,
            PodUid = pod,
            ReplicaIndex = 0,
            Attempt = attempt,
            Ranks = [new RankHeartbeat { Rank = 0, State = state, Step = step, BusySecondsPerStep = seconds }],
        };
        return _register.Beat(change?.Invoke(beat) ?? beat, ["a", "b", "c"], Stragglers);
    }
}
