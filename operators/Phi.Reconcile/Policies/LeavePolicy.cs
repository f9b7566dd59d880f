using Phi.Api.Agent;

namespace Phi.Reconcile.Policies;

/// <summary>
/// A pod that was asked to leave asks all ranks to save at the same step. The attempt goes on until they have, but only while they can:
/// not beyond the pod's own grace period, not when an agent is silent, and not once a rank has failed, because saving takes all of them.
/// </summary>
internal static class LeavePolicy
{
    public static bool IsAwaited(GangView gang) =>
        gang.Members.Any(member => member.IsLeaving && !member.IsOverdue)
        && !gang.Members.Any(member => member.IsLost || (member.IsSilent && !member.Pod.HasEnded))
        && !gang.Ranks.Any(entry => entry.Rank.State == RankState.Failed)
        && gang.Members.Any(member => !member.Pod.HasEnded && (member.Ranks.IsEmpty || member.Ranks.Any(rank => rank.State != RankState.SavedAndLeft)));

    /// <summary>Until the first grace period is over.</summary>
    public static TimeSpan? Next(GangView gang) => gang.Members
        .Where(member => member is { Pod: { IsDeleting: true, DeleteBy: not null }, IsOverdue: false })
        .Select(member => (TimeSpan?)(member.Pod.DeleteBy!.Value + GangView.Overtime - gang.Snapshot.Now)).Min();
}
