using System.Collections.Concurrent;
using System.Collections.Immutable;
using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;

namespace Phi.Operator.AgentApi;

/// <summary>The newest word of each pod's agent, in memory: after a restart of the operator each agent says again how it is.</summary>
internal sealed class AgentRegister(TimeProvider time)
{
    private static readonly TimeSpan MedianLife = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan JobLife = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, AgentSnapshot> _agents = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (DateTimeOffset At, double? Seconds)> _medians = new(StringComparer.Ordinal);

    /// <summary>Pods that are remembered.</summary>
    public int Count => _agents.Count;

    public AgentSnapshot? Get(string podUid) => _agents.GetValueOrDefault(podUid);

    /// <summary>Agents that were not heard for at least so long.</summary>
    public int CountSilent(TimeSpan silence)
    {
        var now = time.GetUtcNow();
        return _agents.Values.Count(agent => now - agent.LastSeen >= silence);
    }

    public void Clear() => _agents.Clear();

    public void Forget(string podUid) => _agents.TryRemove(podUid, out _);

    /// <summary>An agent that asks for its part is alive, though it runs nothing.</summary>
    public void Hear(string podUid)
    {
        var now = time.GetUtcNow();
        _agents.AddOrUpdate(podUid, uid => new AgentSnapshot(uid, 0, false, [], null, now, now), (_, old) => old with { LastSeen = now });
    }

    /// <summary>Takes a heartbeat in. True if a decision may depend on what is new: a rank's state, a wish to leave, a notice, a straggler.</summary>
    /// <param name="gang">Uids of the job's pods.</param>
    public bool Beat(Heartbeat heartbeat, IEnumerable<string> gang, StragglerSpec stragglers)
    {
        var now = time.GetUtcNow();
        var old = Get(heartbeat.PodUid);
        if (old is not null && old.Attempt > heartbeat.Attempt)
        {
            // Late on its way: what came since counts.
            return false;
        }

        var same = old is not null && old.Attempt == heartbeat.Attempt ? old : null;
        var hasEnded = heartbeat.Ranks.Any(rank => rank.State is RankState.Failed or RankState.SavedAndLeft);
        var hasMoved = same is null || !same.Ranks.Select(rank => (rank.State, rank.Step)).SequenceEqual(heartbeat.Ranks.Select(rank => (rank.State, rank.Step)));
        var next = new AgentSnapshot(
            heartbeat.PodUid, heartbeat.Attempt, heartbeat.Leaving, [.. heartbeat.Ranks], hasEnded ? same?.EndedSince ?? now : null, now, hasMoved ? now : same!.ProgressAt, heartbeat.Notice)
        {
            SlowSteps = StragglerPolicy.Count(same, heartbeat.Ranks, Median(heartbeat, gang, now), stragglers.Factor!.Value),
        };
        _agents[heartbeat.PodUid] = next;
        return same is null || same.IsLeaving != next.IsLeaving || same.Notice != next.Notice
            || !same.Ranks.Select(rank => rank.State).SequenceEqual(next.Ranks.Select(rank => rank.State)) || !Slow(same).SetEquals(Slow(next));

        HashSet<int> Slow(AgentSnapshot agent) => [.. agent.SlowSteps.Where(entry => entry.Value >= stragglers.Steps).Select(entry => entry.Key)];
    }

    /// <summary>Of the whole gang; it moves slowly, and a large gang beats often.</summary>
    private double? Median(Heartbeat heartbeat, IEnumerable<string> gang, DateTimeOffset now)
    {
        if (heartbeat.Ranks.All(rank => rank.BusySecondsPerStep is null))
        {
            return null;
        }

        if (_medians.TryGetValue(heartbeat.JobUid, out var known) && now - known.At < MedianLife)
        {
            return known.Seconds;
        }

        if (known == default)
        {
            // A job that is new here: a good moment to forget those that beat no more.
            foreach (var (job, _) in _medians.Where(entry => now - entry.Value.At > JobLife))
            {
                _medians.TryRemove(job, out _);
            }
        }

        var others = gang.Where(uid => uid != heartbeat.PodUid).Select(Get).OfType<AgentSnapshot>().Where(agent => agent.Attempt == heartbeat.Attempt).SelectMany(agent => agent.Ranks);
        var seconds = StragglerPolicy.Median(others.Concat(heartbeat.Ranks).Select(rank => rank.BusySecondsPerStep));
        _medians[heartbeat.JobUid] = (now, seconds);
        return seconds;
    }
}
