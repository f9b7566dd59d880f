using System.Collections.Immutable;
using Phi.Api.Agent;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>What ended an attempt.</summary>
/// <param name="IsCharged">A fault of the job; false: a disruption, which is free.</param>
/// <param name="IsFatal">No restart mends it.</param>
public sealed record AttemptFailure(bool IsCharged, bool IsFatal, string Reason, string Message);

/// <summary>
/// Whether the current attempt is over, and whose fault it is. A rank that lost its peer is a consequence, so its cause is looked for
/// first; only when none shows up is the lost peer the cause.
/// </summary>
public static class FailurePolicy
{
    private static readonly TimeSpan CauseDelay = TimeSpan.FromSeconds(3);
    private const int SignalledExit = 128;

    /// <summary>Null while the attempt goes on, or while a pod that was asked to leave still saves.</summary>
    public static AttemptFailure? Find(JobSnapshot snapshot)
    {
        var (pods, agents) = (snapshot.Pods, Current(snapshot));
        if (pods.Any(pod => pod.IsDeleting && !pod.HasEnded))
        {
            return null;
        }

        if (FailedRank(agents) is { } rank)
        {
            return Classify(rank.ExitCode!.Value, $"rank {rank.Rank}", rank.Message);
        }

        if (pods.FirstOrDefault(pod => pod is { Phase: "Failed", IsDisrupted: true } or { IsDeleting: true, HasEnded: true }) is { } disrupted)
        {
            return new AttemptFailure(false, false, "PodDisrupted", $"pod {disrupted.Name} was disrupted{Because(disrupted.Message ?? disrupted.Reason)}");
        }

        if (pods.FirstOrDefault(pod => pod is { Phase: "Failed" }) is { } failed)
        {
            return failed.ExitCode is { } code and not RankExitCodes.PeerLost
                ? Classify(code, $"pod {failed.Name}", failed.Message)
                : new AttemptFailure(true, false, failed.ExitCode is null ? failed.Reason ?? "PodFailed" : "PeerLost", $"pod {failed.Name} failed{Because(failed.Message)}");
        }

        if (Enumerable.Range(0, snapshot.Replicas).Where(index => !pods.Any(pod => pod.Index == index)).Select(index => (int?)index).FirstOrDefault() is { } missing)
        {
            return new AttemptFailure(false, false, "PodDisrupted", $"the pod of replica {missing} is gone");
        }

        return Consequence(snapshot, agents);
    }

    /// <summary>Ranks that ended without a cause in sight: wait for it a little, then go on without.</summary>
    private static AttemptFailure? Consequence(JobSnapshot snapshot, ImmutableArray<AgentSnapshot> agents)
    {
        var ended = agents.Where(agent => agent.Ranks.Any(rank => rank.State is RankState.Failed or RankState.SavedAndLeft)).ToList();
        if (ended.Count == 0 || snapshot.Now - ended.Min(agent => agent.EndedSince ?? snapshot.Now) < CauseDelay)
        {
            return null;
        }

        var ranks = ended.SelectMany(agent => agent.Ranks).ToList();
        return ranks.Find(rank => rank.State == RankState.Failed) is { } lost
            ? new AttemptFailure(true, false, "PeerLost", $"rank {lost.Rank} lost a peer{Because(lost.Message)}")
            : new AttemptFailure(false, false, "SavedAndLeft", "the ranks saved and left");
    }

    /// <summary>Whether an attempt has ended ranks or broken pods that are not classified yet; then the operator looks again soon.</summary>
    public static bool IsUnsettled(JobSnapshot snapshot) =>
        snapshot.Pods.Any(pod => pod.IsDeleting) || Current(snapshot).Any(agent => agent.Ranks.Any(rank => rank.State is RankState.Failed or RankState.SavedAndLeft));

    private static ImmutableArray<AgentSnapshot> Current(JobSnapshot snapshot) => [.. snapshot.Agents.Where(agent => agent.Attempt == snapshot.Attempt)];

    private static RankHeartbeat? FailedRank(ImmutableArray<AgentSnapshot> agents) => agents.SelectMany(agent => agent.Ranks)
        .FirstOrDefault(rank => rank is { State: RankState.Failed, ExitCode: { } code } && code != RankExitCodes.PeerLost);

    private static AttemptFailure Classify(int exitCode, string who, string? message) => exitCode switch
    {
        RankExitCodes.BadInput => new AttemptFailure(true, true, "BadInput", $"{who} cannot use what it was given{Because(message)}"),
        RankExitCodes.SavedAndLeft => new AttemptFailure(false, false, "SavedAndLeft", $"{who} was asked to leave, saved and left"),
        > SignalledExit => new AttemptFailure(true, false, "RankFailed", $"{who} was ended by signal {exitCode - SignalledExit}{Because(message)}"),
        _ => new AttemptFailure(true, false, "RankFailed", $"{who} failed with exit code {exitCode}{Because(message)}"),
    };

    private static string Because(string? message) => string.IsNullOrWhiteSpace(message) ? "" : $": {message.Trim()}";
}
