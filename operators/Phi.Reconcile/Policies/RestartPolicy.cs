using Phi.Api.Metadata;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>How often a job may be restarted after faults, and how long it waits before.</summary>
public static class RestartPolicy
{
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMinutes(5);

    /// <summary>Charged restarts that count: those within the window, or all if there is none.</summary>
    public static int Charged(JobSnapshot snapshot)
    {
        var times = snapshot.Status.ChargedRestartTimes ?? [];
        return snapshot.Job.Spec.Recovery!.RestartWindow is { } window ? times.Count(time => snapshot.Now - time < KubernetesDuration.Parse(window)) : times.Count;
    }

    /// <summary>The times of the charged restarts with one more, without those that no window will count again.</summary>
    internal static List<DateTimeOffset> Add(JobSnapshot snapshot) =>
    [
        .. (snapshot.Status.ChargedRestartTimes ?? []).Where(time => snapshot.Job.Spec.Recovery?.RestartWindow is not { } window || snapshot.Now - time < KubernetesDuration.Parse(window)),
        snapshot.Now,
    ];

    public static bool MayRestart(JobSnapshot snapshot) => Charged(snapshot) < snapshot.Job.Spec.Recovery!.MaxRestarts;

    /// <summary>What is left of the wait after the newest charged restart: the backoff, doubled with each one before it.</summary>
    public static TimeSpan Remaining(JobSnapshot snapshot)
    {
        if (snapshot.Status.ChargedRestartTimes is not { Count: > 0 } times || times[^1] != snapshot.Status.LastRestartTime)
        {
            return TimeSpan.Zero;
        }

        var wait = Backoff.After(KubernetesDuration.Parse(snapshot.Job.Spec.Recovery!.Backoff!), LongestBackoff, Charged(snapshot));
        var left = times[^1] + wait - snapshot.Now;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
