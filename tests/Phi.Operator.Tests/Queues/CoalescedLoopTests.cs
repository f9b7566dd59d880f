using Microsoft.Extensions.Time.Testing;
using Phi.Operator.Queues;

namespace Phi.Operator.Tests.Queues;

public sealed class CoalescedLoopTests
{
    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0.01, 1)]
    [InlineData(0.5, 4.5)]
    [InlineData(600, 15)]
    public async Task Run_ThatTakesItsTime_RestsInProportionWithinBounds(double seconds, double expected)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var loop = new CoalescedLoop(TimeSpan.FromSeconds(1), 0.1, _time);
        var runs = new SemaphoreSlim(0);
        loop.Signal();
        var running = loop.RunAsync(
            _ =>
            {
                _time.Advance(TimeSpan.FromSeconds(seconds));
                runs.Release();
                return Task.CompletedTask;
            },
            stop.Token);
        await runs.WaitAsync(Ct);

        loop.Signal();
        _time.Advance(TimeSpan.FromSeconds(expected) - TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, runs.CurrentCount);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await runs.WaitAsync(Ct);

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }
}
