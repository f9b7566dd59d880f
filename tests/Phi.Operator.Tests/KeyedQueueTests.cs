using Microsoft.Extensions.Time.Testing;
using Phi.Kubernetes;
using Phi.Operator.Queue;
using Xunit;

namespace Phi.Operator.Tests;

/// <summary>One worker a key, nothing lost, failures later.</summary>
public sealed class KeyedQueueTests
{
    private static readonly ResourceKey Key = new("default", "job");
    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void AddAfter_LongerThanATimerHolds_IsTaken() => new KeyedQueue(TimeProvider.System).AddAfter(Key, TimeSpan.FromDays(24_855));

    [Fact]
    public async Task Add_WhileTheKeyIsWorkedOn_BringsItOnceMoreAfterwards()
    {
        var queue = new KeyedQueue(_time);
        queue.Add(Key);
        queue.Add(Key);
        Assert.Equal(Key, await queue.TakeAsync(Ct));
        queue.Add(Key);
        queue.Add(Key);

        var next = queue.TakeAsync(Ct);
        Assert.False(next.IsCompleted);
        queue.Done(Key, hasFailed: false);

        Assert.Equal(Key, await next);
        var after = queue.TakeAsync(Ct);
        queue.Done(Key, hasFailed: false);
        Assert.False(after.IsCompleted);
    }

    [Fact]
    public async Task Add_Urgent_ComesBeforeWhatIsNotAndOnlyOnce()
    {
        var queue = new KeyedQueue(_time);
        ResourceKey first = new("default", "first"), second = new("default", "second");
        queue.Add(Key);
        queue.Add(first);
        queue.Add(second, isUrgent: true);
        queue.Add(first, isUrgent: true);
        queue.Add(first);

        ResourceKey[] taken = [await queue.TakeAsync(Ct), await queue.TakeAsync(Ct), await queue.TakeAsync(Ct)];
        var next = queue.TakeAsync(Ct);
        queue.Done(first, hasFailed: false);

        Assert.Equal([second, first, Key], taken);
        Assert.False(next.IsCompleted);
    }

    [Fact]
    public async Task Add_UrgentWhileTheKeyIsWorkedOn_ComesFirstAfterwards()
    {
        var queue = new KeyedQueue(_time);
        queue.Add(Key);
        await queue.TakeAsync(Ct);
        queue.Add(new ResourceKey("default", "other"));
        queue.Add(Key, isUrgent: true);
        queue.Add(Key);
        queue.Done(Key, hasFailed: false);

        Assert.Equal(Key, await queue.TakeAsync(Ct));
    }

    [Fact]
    public async Task AddAfter_SeveralDelays_TheShortestCounts()
    {
        var queue = new KeyedQueue(_time);
        queue.AddAfter(Key, TimeSpan.FromSeconds(10));
        queue.AddAfter(Key, TimeSpan.FromSeconds(1));
        var next = queue.TakeAsync(Ct);

        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(Key, await next);
    }

    [Fact]
    public async Task Done_ServerAskedToBeLeftAlone_NotEvenNewsBringsTheKeySooner()
    {
        var queue = new KeyedQueue(_time);
        queue.Add(Key);
        await queue.TakeAsync(Ct);
        queue.Add(Key);
        queue.Done(Key, hasFailed: true, TimeSpan.FromSeconds(7));
        var next = queue.TakeAsync(Ct);

        _time.Advance(TimeSpan.FromSeconds(6.9));
        Assert.False(next.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.2));

        Assert.Equal(Key, await next);
    }

    [Fact]
    public async Task Done_AfterAFailure_BringsTheKeyBackLater()
    {
        var queue = new KeyedQueue(_time);
        queue.Add(Key);
        await queue.TakeAsync(Ct);
        queue.Done(Key, hasFailed: true);
        var next = queue.TakeAsync(Ct);

        Assert.False(next.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(Key, await next);
    }
}
