using k8s.Models;

namespace Phi.LocalCluster.Nodes;

/// <summary>Whether and why one pod is to end, and when its time to end is over.</summary>
internal sealed class PodStop(TimeProvider time)
{
    /// <summary>The longest that a timer takes; longer waits go in steps.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);
    private readonly TaskCompletionSource<PodEnd> _requested = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<PodEnd> _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _killed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes with the first reason.</summary>
    public Task<PodEnd> Requested => _requested.Task;

    /// <summary>Completes with the first reason that comes from outside of the pod: the pod's own deadline does not take its object away.</summary>
    public Task<PodEnd> Released => _released.Task;

    /// <summary>Completes when what still runs is to be killed.</summary>
    public Task Killed => _killed.Task;

    /// <summary>Asks the pod to end. A later, shorter grace counts; a longer one does not give time back.</summary>
    public void End(PodEnd why, TimeSpan grace)
    {
        _requested.TrySetResult(why);
        if (why != PodEnd.DeadlineExceeded)
        {
            _released.TrySetResult(why);
        }

        KillAfter(why == PodEnd.Vanished ? TimeSpan.Zero : grace);
    }

    /// <summary>Lets what still runs live so long.</summary>
    public void KillAfter(TimeSpan grace)
    {
        if (grace <= TimeSpan.Zero)
        {
            _killed.TrySetResult();
        }
        else
        {
            _ = WaitAsync(() => grace, time.GetTimestamp(), _killed.Task).ContinueWith(_ => _killed.TrySetResult(), TaskScheduler.Default);
        }
    }

    /// <summary>Ends the pod at its activeDeadlineSeconds; a deadline that is changed meanwhile is looked at again by a new call.</summary>
    /// <param name="pod">The pod as it is now.</param>
    /// <param name="ended">Completes when there is nothing left to end.</param>
    public async Task WatchDeadlineAsync(Func<V1Pod> pod, DateTimeOffset startedAt, Task ended)
    {
        var since = time.GetTimestamp() - (long)((time.GetUtcNow() - startedAt).TotalSeconds * time.TimestampFrequency);
        await WaitAsync(() => pod().Spec.ActiveDeadlineSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null, since, ended);
        if (!ended.IsCompleted && pod().Spec.ActiveDeadlineSeconds is not null)
        {
            End(PodEnd.DeadlineExceeded, TimeSpan.FromSeconds(pod().Spec.TerminationGracePeriodSeconds ?? 30));
        }
    }

    /// <summary>Waits until so much time has passed since then, or there is no length, or the other task ends the wait.</summary>
    private async Task WaitAsync(Func<TimeSpan?> length, long since, Task until)
    {
        while (!until.IsCompleted && length() is { } total && total - time.GetElapsedTime(since) is var left && left > TimeSpan.Zero)
        {
            await Task.WhenAny(until, Task.Delay(left < LongestWait ? left : LongestWait, time));
        }
    }
}
