using Phi.Api.Agent;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>Ranks and pods that ended by themselves: what their exit codes (<see cref="RankExitCodes"/>) say. Faults of the job, and charged; the storage's are not.</summary>
internal static class ExitCodePolicy
{
    private const int SignalledExit = 128;
    private const int Killed = 137;

    /// <summary>What no disruption explains: input that no restart mends, and a loss that diverged.</summary>
    public static IEnumerable<AttemptFailure> Definite(GangView gang) => All(gang).Where(failure => IsDefinite(gang, failure));

    /// <summary>The others. The end of a pod out of memory says more than the signal that its ranks got, so it comes first.</summary>
    public static IEnumerable<AttemptFailure> Others(GangView gang) =>
        All(gang).Where(failure => !IsDefinite(gang, failure)).OrderBy(failure => failure.Reason == "OOMKilled" ? 0 : 1);

    private static bool IsDefinite(GangView gang, AttemptFailure failure) => gang.Snapshot.HasAgents && failure.ExitCode is RankExitCodes.BadInput or RankExitCodes.Diverged;

    private static IEnumerable<AttemptFailure> All(GangView gang)
    {
        var divergences = gang.Ranks.Where(entry => entry.Rank is { State: RankState.Failed, ExitCode: RankExitCodes.Diverged }).OrderBy(entry => entry.Rank.DivergedBatch is null ? 1 : 0).ToList();
        var failed = gang.Ranks.Where(entry => entry.Rank is { State: RankState.Failed, ExitCode: not (null or RankExitCodes.PeerLost or RankExitCodes.Superseded or RankExitCodes.Diverged) });
        return
        [
            .. divergences.Take(1).Select(entry => DivergencePolicy.Find(gang.Snapshot, entry.Member, entry.Rank)),
            .. failed.Where(entry => entry.Rank.ExitCode == RankExitCodes.BadInput || !DisruptionPolicy.IsDisrupted(entry.Member)).Select(entry => OfRank(entry.Member, entry.Rank)),
            .. gang.Members.Where(member => member.Pod.Phase == "Failed" && !DisruptionPolicy.IsDisrupted(member)).Select(member => OfPod(member, gang.Snapshot.HasAgents)).OfType<AttemptFailure>(),
        ];
    }

    private static AttemptFailure OfRank(GangMember member, RankHeartbeat rank) =>
        Classify(rank.ExitCode!.Value, $"rank {rank.Rank}{(member.Pod.Node is { } node ? $" on {node}" : "")}", rank.Message) with { Words = rank.Message, Node = member.Pod.Node };

    /// <summary>An agent passes the worst code of its ranks on. A program of the user's own means by its codes what it likes: each is a fault.</summary>
    private static AttemptFailure? OfPod(GangMember member, bool hasAgent)
    {
        var pod = member.Pod;
        var failure = pod switch
        {
            { Reason: "OOMKilled" } => new AttemptFailure(true, false, "OOMKilled", $"{member.Where} used more memory than its limit allows and was killed{Because(pod.Message)}"),
            { ExitCode: { } code and <= SignalledExit } when !hasAgent => new AttemptFailure(true, false, "RankFailed", $"{member.Where} failed with exit code {code}{Because(pod.Message)}"),
            { ExitCode: RankExitCodes.PeerLost or RankExitCodes.Superseded } => null,
            { ExitCode: { } code } => Classify(code, member.Where, pod.Message),
            _ => new AttemptFailure(true, false, pod.Reason ?? "PodFailed", $"{member.Where} failed{Because(pod.Message ?? pod.Reason)}"),
        };
        return failure is null ? null : failure with { ExitCode = pod.ExitCode, Words = pod.Message, Node = pod.Node };
    }

    private static AttemptFailure Classify(int exitCode, string who, string? message) => (exitCode switch
    {
        RankExitCodes.BadInput => new AttemptFailure(true, true, "BadInput", $"{who} cannot use what it was given{Because(message)}"),
        RankExitCodes.SavedAndLeft => new AttemptFailure(false, false, "SavedAndLeft", $"{who} was asked to leave, saved and left"),
        RankExitCodes.StorageUnavailable => new AttemptFailure(false, false, "StorageUnavailable", $"{who} found the storage of checkpoints unavailable{Because(message)}"),
        Killed => new AttemptFailure(true, false, "RankFailed", $"{who} was killed (signal 9), as happens when memory runs out{Because(message)}"),
        > SignalledExit => new AttemptFailure(true, false, "RankFailed", $"{who} was ended by signal {exitCode - SignalledExit}{Because(message)}"),
        RankExitCodes.Diverged => new AttemptFailure(true, false, "LossDiverged", $"the loss diverged on {who}{Because(message)}"),
        _ => new AttemptFailure(true, false, "RankFailed", $"{who} failed with exit code {exitCode}{Because(message)}"),
    }) with { ExitCode = exitCode };

    private static string Because(string? message) => string.IsNullOrWhiteSpace(message) ? "" : $": {message.Trim().TrimEnd('.')}";
}
