using Phi.Api.Agent;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>
/// Whether the current attempt is over, why, and whose fault it is. A rank that lost its peer is a consequence, so its cause is looked
/// for first; only when none shows up is the lost peer the cause.
/// </summary>
public static class FailurePolicy
{
    /// <summary>Null while the attempt goes on, or while a pod that was asked to leave still saves.</summary>
    public static AttemptFailure? Find(JobSnapshot snapshot) => Find(new GangView(snapshot));

    internal static AttemptFailure? Find(GangView gang)
    {
        if (LeavePolicy.IsAwaited(gang))
        {
            return null;
        }

        // What was done to the job explains how its ranks ended; how they ended never explains what was done to it.
        AttemptFailure[] causes = [.. ExitCodePolicy.Definite(gang), .. DisruptionPolicy.Find(gang), .. ExitCodePolicy.Others(gang), .. SilencePolicy.Find(gang), .. StartPolicy.Find(gang)];
        if (causes.Length == 0 && (HangPolicy.Find(gang) ?? ContainerHang.Find(gang.Snapshot) ?? StragglerPolicy.Failure(gang) ?? ConsequencePolicy.Find(gang)) is { } only)
        {
            causes = [only];
        }

        return causes.Length == 0 ? null : RulePolicy.Apply(gang.Snapshot, causes);
    }

    /// <summary>Whether an attempt has ended ranks or broken pods that are not classified yet; then the operator looks again soon.</summary>
    public static bool IsUnsettled(JobSnapshot snapshot) =>
        snapshot.Pods.Any(pod => pod.IsDeleting) || snapshot.Agents.Any(agent => agent.Attempt == snapshot.Attempt && agent.Ranks.Any(rank => rank.State is RankState.Failed or RankState.SavedAndLeft));
}
