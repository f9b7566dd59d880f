using Microsoft.Extensions.Time.Testing;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.Execute;

namespace Phi.Operator.Tests;

public sealed class WaitingWordsTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly WaitingWords _words;

    public WaitingWordsTests() => _words = new WaitingWords(_time);

    [Fact]
    public void Take_ABurst_IsLetThroughAndTheRestTakeTheirTurnsInOrder()
    {
        var turns = Enumerable.Range(0, 103).Select(i => _words.Take(Key(i))).ToList();

        Assert.All(turns[..100], turn => Assert.Null(turn));
        Assert.Equal([50, 100, 150], turns[100..].Select(turn => turn!.Value.TotalMilliseconds));
    }

    [Fact]
    public void Take_WhenTheTurnHasCome_IsLetThroughOnce()
    {
        for (var i = 0; i < 100; i++)
        {
            _words.Take(Key(i));
        }

        var turn = _words.Take(Key(100))!.Value;
        Assert.Equal(turn, _words.Take(Key(100)));
        _time.Advance(turn);

        Assert.Null(_words.Take(Key(100)));
        Assert.NotNull(_words.Take(Key(100)));
    }

    [Fact]
    public void Take_AfterARest_HasABurstAgain()
    {
        for (var i = 0; i < 150; i++)
        {
            _words.Take(Key(i));
        }

        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.All(Enumerable.Range(200, 100), i => Assert.Null(_words.Take(Key(i))));
    }

    [Fact]
    public void Take_WhileWritesAreSlow_LeavesThemNineTenthsOfTheTime()
    {
        for (var i = 0; i < 100; i++)
        {
            _words.Take(Key(i));
            _words.Took(TimeSpan.FromSeconds(0.2));
        }

        var slow = _words.Take(Key(100))!.Value;
        Assert.InRange(slow.TotalSeconds, 1.9, 2);

        for (var i = 0; i < 200; i++)
        {
            _words.Took(TimeSpan.FromMilliseconds(2));
        }

        Assert.Equal(50, _words.Take(Key(100))!.Value.TotalMilliseconds);
    }

    [Fact]
    public void Take_FarBackInLine_AsksAgainWithinAMinute()
    {
        for (var i = 0; i < 5000; i++)
        {
            _words.Take(Key(i));
        }

        Assert.Equal(TimeSpan.FromMinutes(1), _words.Take(Key(5000)));
    }

    [Theory]
    [InlineData(null, null, TrainingPhase.Pending, "False", true)]
    [InlineData(TrainingPhase.Pending, "False", TrainingPhase.Pending, "False", true)]
    [InlineData(TrainingPhase.Pending, "True", TrainingPhase.Pending, "False", false)]
    [InlineData(TrainingPhase.Running, "True", TrainingPhase.Pending, "False", false)]
    [InlineData(null, null, TrainingPhase.Pending, "True", false)]
    [InlineData(TrainingPhase.Pending, "False", TrainingPhase.Failed, "False", false)]
    public void SayOnly_IsSoIfTheJobHadNoQuotaAndHasNone(string? oldPhase, string? oldQuota, string phase, string quota, bool expected) =>
        Assert.Equal(expected, WaitingWords.SayOnly(oldPhase is null ? null : Status(oldPhase, oldQuota!), Status(phase, quota)));

    private static ResourceKey Key(int i) => new("default", $"job-{i}");

    private static TrainingJobStatus Status(string phase, string quota) => new() { Phase = phase, Conditions = [new Condition { Type = TrainingConditions.QuotaReserved, Status = quota }] };
}
