using System.Collections.Immutable;
using System.Globalization;
using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>
/// Ranks that hold the others up: their own time per step, without waiting for their peers, is above the gang's median by
/// recovery.stragglers.factor for recovery.stragglers.steps steps in a row. How many steps that were is counted as heartbeats come.
/// </summary>
public static class StragglerPolicy
{
    private const int MostNamed = 8;

    /// <summary>Steps of a few milliseconds are uneven by nature, and nobody's bottleneck.</summary>
    private const double LeastExcessSeconds = 0.05;

    /// <summary>The lower median, so that of two ranks the faster one is the measure; null if no rank has a time.</summary>
    public static double? Median(IEnumerable<double?> busySeconds)
    {
        var times = busySeconds.OfType<double>().Where(double.IsFinite).Order().ToList();
        return times.Count == 0 ? null : times[(times.Count - 1) / 2];
    }

    /// <summary>An agent's counts after its next heartbeat: steps are added while a rank is slow, and a rank that is not starts again at none.</summary>
    /// <param name="old">Of the same attempt; null for its first heartbeat.</param>
    /// <param name="median">Busy seconds per step of the gang.</param>
    public static ImmutableDictionary<int, long> Count(AgentSnapshot? old, IReadOnlyList<RankHeartbeat> ranks, double? median, double factor)
    {
        if (median is not { } typical)
        {
            return ImmutableDictionary<int, long>.Empty;
        }

        var counts = ImmutableDictionary.CreateBuilder<int, long>();
        foreach (var rank in ranks.Where(rank => rank.State == RankState.Training && rank.BusySecondsPerStep > Math.Max(factor * typical, typical + LeastExcessSeconds)))
        {
            var before = old?.Ranks.FirstOrDefault(known => known.Rank == rank.Rank && known.State == RankState.Training);
            counts[rank.Rank] = (old?.SlowSteps.GetValueOrDefault(rank.Rank) ?? 0) + (before is null ? 0 : Math.Max(0, rank.Step - before.Step));
        }

        return counts.ToImmutable();
    }

    /// <summary>Who is slow, in one sentence; null if nobody is.</summary>
    internal static string? Report(GangView gang)
    {
        if (Find(gang) is not { Count: > 0 } slow)
        {
            return null;
        }

        var (options, median) = (gang.Snapshot.Job.Spec.Recovery!.Stragglers!, Median(gang.Ranks.Select(entry => entry.Rank.BusySecondsPerStep)) ?? 0);
        var names = slow.Take(MostNamed).Select(entry => string.Create(CultureInfo.InvariantCulture, $"{Subject(entry)} takes {entry.Rank.BusySecondsPerStep:0.###} s per step"));
        return string.Create(CultureInfo.InvariantCulture, $"{string.Join(", ", names)}{(slow.Count > MostNamed ? $" and {slow.Count - MostNamed} more" : "")}; the gang's median is {median:0.###} s: more than {options.Factor} times as long for at least {options.Steps} steps");
    }

    /// <summary>Whether a message of <see cref="Report"/> still names the same ranks; only its times may differ.</summary>
    internal static bool IsAbout(GangView gang, string message) => Find(gang) is var slow
        && slow.Take(MostNamed).All(entry => message.Contains($"{Subject(entry)} takes", StringComparison.Ordinal))
        && message.Split(" takes ").Length - 1 == Math.Min(MostNamed, slow.Count);

    /// <summary>Where recovery.stragglers.action is ExcludeNode and the pods of the slow nodes fit elsewhere.</summary>
    internal static AttemptFailure? Failure(GangView gang)
    {
        var snapshot = gang.Snapshot;
        if (snapshot.Job.Spec.Recovery!.Stragglers!.Action != "ExcludeNode" || Find(gang) is not { Count: > 0 } slow)
        {
            return null;
        }

        var nodes = slow.Select(entry => entry.Member.Pod.Node).OfType<string>().Distinct().ToList();
        var room = snapshot.Nodes
            .Where(node => node.IsReady && node.AcceleratorType == snapshot.Job.Spec.Accelerator!.Type && !nodes.Contains(node.Name) && NodeExclusion.Find(snapshot, node.Name) is null)
            .Sum(node => Math.Max(0, node.Free) / snapshot.PerReplica);
        return nodes.Count == 0 || room < gang.Members.Count(member => nodes.Contains(member.Pod.Node!))
            ? null
            : new AttemptFailure(false, false, "Straggler", $"{Report(gang)}; the job goes on without {string.Join(", ", nodes)}")
            {
                Node = nodes[0],
                Excluded = [.. nodes.Select(node => new ExcludedNodeStatus { Node = node, Reason = "Straggler", Since = snapshot.Now })],
            };
    }

    private static List<(GangMember Member, RankHeartbeat Rank)> Find(GangView gang) => [.. gang.Ranks.Where(entry =>
        entry.Rank is { State: RankState.Training, BusySecondsPerStep: not null } && entry.Member.Agent!.SlowSteps.GetValueOrDefault(entry.Rank.Rank) >= gang.Snapshot.Job.Spec.Recovery!.Stragglers!.Steps)];

    private static string Subject((GangMember Member, RankHeartbeat Rank) entry) => $"rank {entry.Rank.Rank} on {entry.Member.Pod.Node}";
}
