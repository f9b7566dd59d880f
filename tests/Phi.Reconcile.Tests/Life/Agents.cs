using System.Collections.Immutable;
using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Tests.Life;

/// <summary>The agents of a job's pods, and what the operator has heard of them.</summary>
internal sealed class Agents(World world)
{
    private readonly Dictionary<string, AgentSnapshot> _agents = [];
    private readonly HashSet<string> _heard = [];
    private readonly HashSet<string> _frozen = [];

    public DateTimeOffset ListeningSince { get; private set; } = Jobs.Start;

    /// <summary>Ranks that are heard and get no further.</summary>
    public bool IsStuck { get; set; }

    public ImmutableArray<AgentSnapshot> Heard => [.. world.Pods.Where(pod => _heard.Contains(pod.Uid)).Select(pod => _agents[pod.Uid])];

    /// <summary>Another operator listens, that has heard nothing yet.</summary>
    public void Forget()
    {
        _heard.Clear();
        ListeningSince = world.Now;
        world.Change();
    }

    public void Freeze(PodSnapshot pod) => _frozen.Add(pod.Uid);

    public void Thaw() => _frozen.Clear();

    /// <summary>Every agent that can asks for its part, runs its ranks and says so.</summary>
    public void Beat()
    {
        if (world.Job.Spec.Container is not null)
        {
            world.ProgressedAt = IsStuck || world.Status.Progress is null ? world.ProgressedAt : world.Now;
            return;
        }

        foreach (var pod in world.Pods.Where(CanSpeak))
        {
            var old = _agents.GetValueOrDefault(pod.Uid);
            var attempt = world.Status.Attempt ?? 0;
            if (old?.Attempt != attempt && IsAssigned(attempt))
            {
                Hear(new AgentSnapshot(pod.Uid, attempt, false, [.. Ranks(pod).Select(rank => new RankHeartbeat { Rank = rank, State = RankState.Starting })], null, world.Now, world.Now));
            }
            else
            {
                _agents[pod.Uid] = old is null ? new AgentSnapshot(pod.Uid, 0, false, [], null, world.Now, world.Now) : old with { LastSeen = world.Now };
                if (_heard.Add(pod.Uid))
                {
                    world.Change();
                }
            }
        }

        foreach (var agent in Heard.Where(agent => !IsStuck && agent.LastSeen == world.Now && agent.Ranks.All(rank => rank.State is RankState.Starting or RankState.Training) && !agent.Ranks.IsEmpty))
        {
            var isNew = agent.Ranks.Any(rank => rank.State == RankState.Starting);
            _agents[agent.PodUid] = agent with { ProgressAt = world.Now, Ranks = [.. agent.Ranks.Select(rank => new RankHeartbeat { Rank = rank.Rank, State = RankState.Training, Step = rank.Step + 1 })] };
            if (isNew)
            {
                world.Change();
            }
        }
    }

    /// <summary>All ranks agree on a step, save it and leave, as they do when a pod is deleted or the gang is to grow.</summary>
    public void SaveAndLeave()
    {
        var isGrowing = world.HasCondition(TrainingConditions.Resizing);
        if (!isGrowing && !world.Pods.Exists(pod => pod is { IsDeleting: true, HasEnded: false }))
        {
            return;
        }

        foreach (var agent in Heard.Where(agent => agent.Attempt == world.Status.Attempt && !agent.Ranks.IsEmpty && agent.Ranks.All(rank => rank.State == RankState.Training)).ToList())
        {
            var pod = world.Pods.Find(pod => pod.Uid == agent.PodUid)!;
            if (!CanSpeak(pod))
            {
                continue;
            }

            Hear(agent with { EndedSince = world.Now, LastSeen = world.Now, Ranks = [.. agent.Ranks.Select(rank => new RankHeartbeat { Rank = rank.Rank, State = RankState.SavedAndLeft, Step = rank.Step })] });
            if (isGrowing)
            {
                world.Change(pod, old => old with { Phase = "Failed", ExitCode = RankExitCodes.SavedAndLeft });
            }
        }
    }

    public void Fail(PodSnapshot pod, int exitCode)
    {
        if (_agents.GetValueOrDefault(pod.Uid) is { Ranks.IsEmpty: false } agent && agent.Attempt == world.Status.Attempt && CanSpeak(pod))
        {
            Hear(agent with
            {
                EndedSince = world.Now,
                LastSeen = world.Now,
                Ranks = [.. agent.Ranks.Select((rank, index) => index > 0 ? rank : new RankHeartbeat { Rank = rank.Rank, State = RankState.Failed, Step = rank.Step, ExitCode = exitCode })],
            });
        }
    }

    /// <summary>As the operator gives parts out.</summary>
    private bool IsAssigned(int attempt)
    {
        var gang = world.Pods.Where(pod => pod is { IsLive: true, Phase: "Running" }).ToList();
        var replicas = world.Status.Replicas ?? World.Replicas;
        return world.Status.Phase is TrainingPhase.Starting or TrainingPhase.Running
            && Enumerable.Range(0, replicas).All(index => gang.Exists(pod => pod.Index == index))
            && !Heard.Any(agent => gang.Exists(pod => pod.Uid == agent.PodUid) && agent.Attempt == attempt && agent.Ranks.Any(rank => rank.State is RankState.Failed or RankState.SavedAndLeft));
    }

    private bool CanSpeak(PodSnapshot pod) => pod.Phase == "Running" && world.Machine(pod.Node) is { IsUp: true } && !_frozen.Contains(pod.Uid);

    private void Hear(AgentSnapshot agent)
    {
        _agents[agent.PodUid] = agent;
        _heard.Add(agent.PodUid);
        world.Change();
    }

    private static IEnumerable<int> Ranks(PodSnapshot pod) => Enumerable.Range(pod.Index * World.PerReplica, World.PerReplica);
}
