using Phi.LocalCluster.ApiServer.Storage;

namespace Phi.LocalCluster.ApiServer.Lifecycle;

/// <summary>
/// Runs a controller's pass over the whole state: at start, after changes that matter to it, and when the pass asked for it. Nothing is
/// remembered from a change but that there was one, so a pass that fails is only tried again.
/// </summary>
/// <param name="resources">The stored resources whose changes matter.</param>
/// <param name="pass">Looks and acts; returns how long until it must look again even if nothing changes, or null.</param>
internal sealed class ControlLoop(ObjectStore store, TimeProvider clock, IReadOnlySet<string> resources, Func<TimeSpan?> pass)
{
    /// <summary>Changes often come in bursts (a gang's pods); one pass answers those of this long.</summary>
    private static readonly TimeSpan BurstLength = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan RetryPeriod = TimeSpan.FromSeconds(1);

    public async Task RunAsync(CancellationToken ct)
    {
        using var subscription = store.Subscribe(resource: null, store.Version)!;
        while (true)
        {
            var again = Pass();
            await Task.Delay(BurstLength, clock, ct);
            if (!await WaitAsync(subscription, again, ct))
            {
                return;
            }
        }
    }

    private TimeSpan? Pass()
    {
        try
        {
            return pass();
        }
        catch (Exception e) when (e is ApiException or InvalidOperationException or FormatException)
        {
            // Somebody was faster, or wrote a field of another type than is read here; the other controllers go on.
            return RetryPeriod;
        }
    }

    /// <summary>False when the store ends.</summary>
    private async Task<bool> WaitAsync(ObjectStore.Subscription subscription, TimeSpan? limit, CancellationToken ct)
    {
        using var stopWaiting = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var time = limit is { } wait ? Task.Delay(wait, clock, stopWaiting.Token) : Task.Delay(Timeout.Infinite, stopWaiting.Token);
        try
        {
            while (true)
            {
                var isWorth = false;
                while (subscription.Events.TryRead(out var change))
                {
                    isWorth |= resources.Contains(change.Resource);
                }

                if (isWorth || time.IsCompletedSuccessfully)
                {
                    return true;
                }

                var more = subscription.Events.WaitToReadAsync(stopWaiting.Token).AsTask();
                if (await Task.WhenAny(more, time) == more && !await more)
                {
                    return false;
                }

                ct.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            await stopWaiting.CancelAsync();
        }
    }
}
