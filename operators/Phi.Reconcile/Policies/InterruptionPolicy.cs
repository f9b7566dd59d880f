using System.Globalization;
using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>What the end of an attempt cost, for the status and for whoever reads it.</summary>
internal static class InterruptionPolicy
{
    private const int Most = 20;

    /// <summary>The status must stay small: reports of ranks are kept for the newest interruptions only, and of the most telling ranks.</summary>
    private const int MostWithRanks = 5;
    private const int MostRanks = 32;

    public static InterruptionStatus Describe(JobSnapshot snapshot, AttemptFailure failure)
    {
        var gang = new GangView(snapshot);
        var step = Step(gang);
        var resume = Resume(gang);
        return new InterruptionStatus
        {
            Attempt = snapshot.Attempt,
            Time = snapshot.Now,
            Reason = failure.Reason,
            Message = failure.Message,
            Charged = failure.IsCharged,
            Step = step,
            ResumeStep = resume,
            LostSteps = Math.Max(0, (step ?? 0) - (resume ?? 0)),
            Ranks = gang.Ranks.IsEmpty ? null : [.. gang.Ranks.OrderBy(entry => Rank(entry.Rank)).ThenBy(entry => entry.Rank.Rank).Take(MostRanks).OrderBy(entry => entry.Rank.Rank).Select(entry => Report(entry.Member, entry.Rank))],
        };
    }

    /// <summary>From where the next attempt goes on, and what is done twice.</summary>
    /// <param name="isCopied">The gang keeps copies in memory; which of them are whole is for its ranks to find out.</param>
    public static string Loss(InterruptionStatus interruption, bool isCopied)
    {
        var from = interruption.ResumeStep is { } step ? $"from the checkpoint of step {step}" : "from the beginning";
        var first = (interruption.ResumeStep ?? 0) + 1;
        var loss = interruption.LostSteps switch
        {
            null or 0 => $"{from}: no step is lost",
            1 => $"{from}: step {first} is done again",
            { } lost => $"{from}: steps {first} to {interruption.Step} ({lost}) are done again",
        };
        return isCopied && interruption.LostSteps > 0 ? $"from the copies in memory, or {loss}" : loss;
    }

    /// <summary>The attempt after the last interruption has found where it goes on: copies in memory may be newer than the checkpoint that was known, and that may have been damaged.</summary>
    /// <param name="attempt">The one that goes on.</param>
    /// <returns>Null: that is what was expected.</returns>
    public static List<InterruptionStatus>? Correct(IReadOnlyList<InterruptionStatus>? known, int attempt, long from) =>
        known is [.., { } last] && last.Attempt == attempt - 1 && (last.ResumeStep ?? 0) != from
            ? [.. known.SkipLast(1), Resumed(last, from)] : null;

    public static List<InterruptionStatus> Add(IReadOnlyList<InterruptionStatus>? old, InterruptionStatus added)
    {
        List<InterruptionStatus> all = [.. (old ?? []).TakeLast(Most - 1), added];
        return [.. all.Select((interruption, index) => index < all.Count - MostWithRanks && interruption.Ranks is not null ? Copy(interruption, null, interruption.Step, interruption.ResumeStep, interruption.LostSteps) : interruption)];
    }

    /// <summary>The farthest rank's step; if none was heard, for the operator has just begun to listen, the progress that is known.</summary>
    private static long? Step(GangView gang) =>
        gang.Ranks.IsEmpty ? gang.Snapshot.Status.Progress?.Step : gang.Ranks.Max(entry => entry.Rank.Step) is > 0 and var step ? step : null;

    /// <summary>Ranks that saved and left may be known before the checkpoint that they committed.</summary>
    private static long? Resume(GangView gang)
    {
        var committed = gang.Snapshot.Status.Checkpoint?.Step;
        var left = gang.Snapshot.Job.Spec.Checkpoint?.OnPreemption == true
            ? gang.Ranks.Where(entry => entry.Rank is { State: RankState.SavedAndLeft, Step: > 0 }).Select(entry => (long?)entry.Rank.Step).Max() : null;
        return left > (committed ?? 0) ? left : committed;
    }

    /// <summary>Ended ranks tell most, then those that are in no collective, then those that wait.</summary>
    private static int Rank(RankHeartbeat rank) => rank switch
    {
        { State: RankState.Failed, ExitCode: not RankExitCodes.PeerLost } => 0,
        { State: RankState.Training or RankState.Starting, CollectiveSeconds: null } => 1,
        _ => 2,
    };

    private static RankReportStatus Report(GangMember member, RankHeartbeat rank) => new()
    {
        Rank = rank.Rank,
        Node = member.Pod.Node,
        State = rank.State.ToString(),
        Step = rank.Step,
        ExitCode = rank.ExitCode,
        LastCollective = rank.LastCollective is { } last && rank.CollectiveSeconds is { } seconds ? string.Create(CultureInfo.InvariantCulture, $"{last}, waiting for {seconds:0.#} s") : rank.LastCollective,
    };

    private static InterruptionStatus Resumed(InterruptionStatus last, long from)
    {
        // What the gang goes on from it had trained, even if no heartbeat had time to say so.
        long? step = last.Step is { } known ? Math.Max(known, from) : null;
        return Copy(last, last.Ranks, step, from, Math.Max(0, (step ?? 0) - from));
    }

    private static InterruptionStatus Copy(InterruptionStatus full, List<RankReportStatus>? ranks, long? step, long? resume, long? lost) => new()
    {
        Attempt = full.Attempt,
        Time = full.Time,
        Reason = full.Reason,
        Message = full.Message,
        Charged = full.Charged,
        Step = step,
        ResumeStep = resume,
        LostSteps = lost,
        Ranks = ranks,
    };
}
