using Microsoft.Extensions.Time.Testing;
using Phi.Operator.AgentApi;
using Xunit;

namespace Phi.Operator.Tests;

public sealed class ListeningTests
{
    [Fact]
    public void Since_WhileTheProcessRuns_IsItsStart()
    {
        var time = new FakeTimeProvider();
        var start = time.GetUtcNow();
        using var listening = new Listening(time);
        for (var second = 0; second < 100; second++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(start, listening.Since);
    }

    /// <summary>A stopped process fires no timer: the clock jumps between two looks.</summary>
    [Fact]
    public void Since_AfterThePauseOfAStoppedProcess_IsItsReturn()
    {
        var time = new StoppedClock();
        using var listening = new Listening(time);
        time.Now += TimeSpan.FromMinutes(5);

        Assert.Equal(time.Now, listening.Since);
        time.Now += TimeSpan.FromSeconds(2);
        Assert.Equal(time.Now.AddSeconds(-2), listening.Since);
    }

    [Fact]
    public void Restart_WhenTheReplicaLeads_CountsFromThen()
    {
        var time = new StoppedClock();
        using var listening = new Listening(time);
        time.Now += TimeSpan.FromSeconds(2);
        listening.Restart();

        Assert.Equal(time.Now, listening.Since);
    }

    private sealed class StoppedClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new FakeTimeProvider().CreateTimer(callback, state, dueTime, period);
    }
}
