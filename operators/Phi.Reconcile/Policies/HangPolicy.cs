using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>Every agent is heard, no rank has ended, and yet none gets further. Charged: what hangs once hangs again.</summary>
internal static class HangPolicy
{
    private const int MostNamed = 8;

    /// <summary>A rank that lives says something every second, also from inside a collective.</summary>
    private const double MostSilentSeconds = 3;

    public static TimeSpan Timeout(JobSnapshot snapshot) => KubernetesDuration.Parse(snapshot.Job.Spec.Recovery!.HangTimeout!);

    public static AttemptFailure? Find(GangView gang)
    {
        if (Stood(gang) is not { } stood || stood < Timeout(gang.Snapshot))
        {
            return null;
        }

        var seconds = $"{Math.Floor(stood.TotalSeconds):0} s";
        var starting = gang.Ranks.Where(entry => entry.Rank.State == RankState.Starting).ToList();
        return starting.Count > 0
            ? new AttemptFailure(true, false, "Hung", $"{Names(starting)} {(starting.Count == 1 ? "still starts" : "still start")} after {seconds} (recovery.hangTimeout is {gang.Snapshot.Job.Spec.Recovery!.HangTimeout})")
            : new AttemptFailure(true, false, "Hung", $"no rank got further than step {gang.Ranks.Max(entry => entry.Rank.Step)} for {seconds} (recovery.hangTimeout is {gang.Snapshot.Job.Spec.Recovery!.HangTimeout}): {Cause(gang)}");
    }

    /// <summary>Until the attempt hangs if nothing moves; null while something else is the matter.</summary>
    public static TimeSpan? Next(GangView gang) => Stood(gang) is { } stood && Timeout(gang.Snapshot) - stood is { Ticks: > 0 } left ? left : null;

    /// <summary>How long nothing has moved; null unless every rank of the gang is heard and runs.</summary>
    private static TimeSpan? Stood(GangView gang)
    {
        var snapshot = gang.Snapshot;
        if (gang.Ranks.IsEmpty || gang.Missing.Any() || gang.Members.Any(member => member.Ranks.IsEmpty || member.IsSilent || member.IsDoubtful || member.Pod is not { IsLive: true, Phase: "Running" })
            || gang.Ranks.Any(entry => entry.Rank.State is RankState.Failed or RankState.SavedAndLeft) || gang.Ranks.All(entry => entry.Rank.State == RankState.Completed))
        {
            return null;
        }

        var moved = gang.Members.Max(member => member.Agent!.ProgressAt);
        return snapshot.Now - (moved > snapshot.ListeningSince ? moved : snapshot.ListeningSince);
    }

    /// <summary>Most ranks wait in one collective; whoever is elsewhere is what they wait for.</summary>
    private static string Cause(GangView gang)
    {
        var running = gang.Ranks.Where(entry => entry.Rank.State == RankState.Training).ToList();
        var waiting = running.Where(entry => entry.Rank is { CollectiveSeconds: not null, LastCollective: not null }).ToList();
        if (waiting.Count == 0)
        {
            return "no rank is in a collective";
        }

        var common = waiting.GroupBy(entry => entry.Rank.LastCollective!).OrderByDescending(group => group.Count()).ThenBy(group => group.Key, StringComparer.Ordinal).First();
        var mute = running.Where(entry => entry.Rank.SilentSeconds > MostSilentSeconds).ToList();
        var outside = mute.Count > 0 ? mute : running.Where(entry => entry.Rank.CollectiveSeconds is null).ToList();
        var elsewhere = outside.Count > 0 ? outside : [.. waiting.Where(entry => entry.Rank.LastCollective != common.Key)];
        var story = $"{Names([.. common])} {(common.Count() == 1 ? "waits" : "wait")} in {common.Key} for up to {common.Max(entry => entry.Rank.CollectiveSeconds):0} s";
        return elsewhere.Count == 0 ? $"{story}; all ranks are in it" : $"{story}; likely cause: {string.Join(", ", elsewhere.Take(MostNamed).Select(Suspect))}{More(elsewhere.Count)}";
    }

    private static string Suspect((GangMember Member, RankHeartbeat Rank) entry)
    {
        var (member, rank) = entry;
        var state = rank.SilentSeconds is > MostSilentSeconds and var silent ? $"silent for {silent:0} s{(rank.LastCollective is { } said ? $"; last in {said}" : "")}"
            : rank.CollectiveSeconds is { } seconds ? $"in {rank.LastCollective} for {seconds:0} s" : rank.LastCollective is { } last ? $"not in it; last in {last}" : "not in it";
        return $"rank {rank.Rank} on {member.Pod.Node} ({state})";
    }

    private static string Names(List<(GangMember Member, RankHeartbeat Rank)> entries) =>
        $"{(entries.Count == 1 ? "rank" : "ranks")} {string.Join(", ", entries.Take(MostNamed).Select(entry => entry.Rank.Rank))}{More(entries.Count)}";

    private static string More(int count) => count > MostNamed ? $" and {count - MostNamed} more" : "";
}
