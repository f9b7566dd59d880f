using Phi.Api.Agent;

namespace Phi.Reconcile.Policies;

/// <summary>Ranks and pods that ended because of something else. The cause is waited for a little; only if none shows up is this the reason.</summary>
internal static class ConsequencePolicy
{
    private static readonly TimeSpan CauseDelay = TimeSpan.FromSeconds(3);

    public static AttemptFailure? Find(GangView gang)
    {
        // Whoever is late may be the cause: wait until it is heard again, or silent.
        if (gang.Members.Any(member => member is { IsDoubtful: true, IsSilent: false, Pod.HasEnded: false }))
        {
            return null;
        }

        var pod = gang.Members.FirstOrDefault(member => member.Pod is { Phase: "Failed", ExitCode: RankExitCodes.PeerLost or RankExitCodes.Superseded });
        var ended = gang.Members.Where(member => member.Ranks.Any(rank => rank.State is RankState.Failed or RankState.SavedAndLeft)).ToList();
        if (pod is null && (ended.Count == 0 || gang.Snapshot.Now - ended.Min(member => member.Agent!.EndedSince ?? gang.Snapshot.Now) < CauseDelay))
        {
            return null;
        }

        return gang.Ranks.FirstOrDefault(entry => entry.Rank is { State: RankState.Failed, ExitCode: RankExitCodes.PeerLost }) is { Rank: { } lost, Member: var where }
                ? new AttemptFailure(true, false, "PeerLost", $"rank {lost.Rank}{On(where)} lost a peer{Because(lost.Message)}") { ExitCode = lost.ExitCode, Words = lost.Message, Node = where.Pod.Node }
            : gang.Ranks.FirstOrDefault(entry => entry.Rank is { State: RankState.Failed, ExitCode: RankExitCodes.Superseded }) is { Rank: { } old }
                ? new AttemptFailure(false, false, "Superseded", $"rank {old.Rank} found that a newer attempt had begun{Because(old.Message)}") { ExitCode = old.ExitCode, Words = old.Message }
            : pod is not null
                ? new AttemptFailure(pod.Pod.ExitCode == RankExitCodes.PeerLost, false, pod.Pod.ExitCode == RankExitCodes.PeerLost ? "PeerLost" : "Superseded", $"{pod.Where} failed with exit code {pod.Pod.ExitCode}{Because(pod.Pod.Message)}") { ExitCode = pod.Pod.ExitCode, Words = pod.Pod.Message, Node = pod.Pod.Node }
            : gang.Ranks.FirstOrDefault(entry => entry.Rank.State == RankState.Failed) is { Rank: { } unknown }
                ? new AttemptFailure(true, false, "RankFailed", $"rank {unknown.Rank} failed{Because(unknown.Message)}") { Words = unknown.Message }
            : new AttemptFailure(false, false, "SavedAndLeft", "the ranks saved and left");
    }

    private static string On(GangMember member) => member.Pod.Node is { } node ? $" on {node}" : "";

    private static string Because(string? message) => string.IsNullOrWhiteSpace(message) ? "" : $": {message.Trim().TrimEnd('.')}";
}
