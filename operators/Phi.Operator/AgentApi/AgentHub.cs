using System.Collections.Concurrent;
using System.Collections.Immutable;
using k8s.Models;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.Observe;
using Phi.Reconcile.Snapshots;

namespace Phi.Operator.AgentApi;

/// <summary>What agents ask and say. Heartbeats live in memory: after a restart of the operator each agent says again how it is.</summary>
internal sealed class AgentHub(ClusterCache cluster, TimeProvider time)
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<string, AgentSnapshot> _agents = new(StringComparer.Ordinal);

    public DateTimeOffset ListeningSince { get; private set; } = time.GetUtcNow();

    /// <summary>This replica leads from now on: what agents told it in an earlier term is old, and what they told others it does not know.</summary>
    public void Listen()
    {
        _agents.Clear();
        ListeningSince = time.GetUtcNow();
    }

    /// <summary>Agents of running pods of running jobs that said nothing for 10 s.</summary>
    public int CountSilent()
    {
        var now = time.GetUtcNow();
        return cluster.Jobs.Where(job => job.Status?.Phase is TrainingPhase.Starting or TrainingPhase.Running)
            .SelectMany(cluster.PodsOf)
            .Count(pod => pod.Status?.Phase == "Running" && Get(pod.Metadata.Uid) is { } agent && now - agent.LastSeen > Silence);
    }

    public AgentSnapshot? Get(string podUid) => _agents.GetValueOrDefault(podUid);

    public void Forget(string podUid) => _agents.TryRemove(podUid, out _);

    /// <summary>The pod's part, once every pod of the gang runs; null if the job is gone.</summary>
    public AssignmentResponse? Assign(AssignmentRequest request)
    {
        if (cluster.Job(new ResourceKey(request.Namespace, request.Job)) is not { } job || job.Metadata.Uid != request.JobUid)
        {
            return null;
        }

        if (job.Status?.Phase is not (TrainingPhase.Starting or TrainingPhase.Running))
        {
            return new AssignmentResponse { WaitReason = $"the job is {job.Status?.Phase ?? TrainingPhase.Pending}" };
        }

        var spec = TrainingJobDefaults.Apply(job).Spec;
        var (replicas, perReplica, attempt) = (spec.Replicas!.Value, spec.Accelerator!.PerReplica!.Value, job.Status.Attempt!.Value);
        var gang = cluster.PodsOf(job).Where(pod => pod.Metadata.DeletionTimestamp is null && pod.Status?.Phase == "Running" && !string.IsNullOrEmpty(pod.Status.PodIP)).ToList();
        var missing = Enumerable.Range(0, replicas).Where(index => !gang.Exists(pod => PodReader.Index(pod) == index)).ToList();
        if (missing.Count > 0)
        {
            return new AssignmentResponse { WaitReason = $"{replicas - missing.Count} of {replicas} pods are running" };
        }

        if (!gang.Exists(pod => pod.Metadata.Uid == request.PodUid))
        {
            return new AssignmentResponse { WaitReason = "this pod is no longer part of the gang" };
        }

        // An attempt that has lost a rank is over; the next one's number is about to come.
        if (gang.Exists(pod => Get(pod.Metadata.Uid) is { } agent && agent.Attempt == attempt && agent.Ranks.Any(rank => rank.State is RankState.Failed or RankState.SavedAndLeft)))
        {
            return new AssignmentResponse { WaitReason = $"attempt {attempt} has ended" };
        }

        return new AssignmentResponse
        {
            Assignment = new Assignment
            {
                Attempt = attempt,
                WorldSize = replicas * perReplica,
                Replicas = replicas,
                LocalWorldSize = perReplica,
                FirstRank = request.ReplicaIndex * perReplica,
                MasterAddress = gang.First(pod => PodReader.Index(pod) == 0).Status.PodIP,
                MasterPort = PhiNames.DefaultMasterPort,
                ResumeStep = job.Status.Checkpoint?.Step,
                Spec = spec,
            },
        };
    }

    /// <summary>Takes a heartbeat in; null if the job is gone. <paramref name="hasNews"/> if a rank's state changed.</summary>
    public HeartbeatResponse? Beat(Heartbeat heartbeat, out bool hasNews)
    {
        hasNews = false;
        if (cluster.Job(new ResourceKey(heartbeat.Namespace, heartbeat.Job)) is not { } job || job.Metadata.Uid != heartbeat.JobUid)
        {
            return null;
        }

        var old = Get(heartbeat.PodUid);
        var isSame = old is not null && old.Attempt == heartbeat.Attempt;
        var hasEnded = heartbeat.Ranks.Any(rank => rank.State is RankState.Failed or RankState.SavedAndLeft);
        var now = time.GetUtcNow();
        var hasMoved = !isSame || !old!.Ranks.Select(rank => (rank.State, rank.Step)).SequenceEqual(heartbeat.Ranks.Select(rank => (rank.State, rank.Step)));
        _agents[heartbeat.PodUid] = new AgentSnapshot(
            heartbeat.PodUid, heartbeat.Attempt, heartbeat.Leaving, [.. heartbeat.Ranks], hasEnded ? (isSame ? old!.EndedSince : null) ?? now : null, now, hasMoved ? now : old!.ProgressAt, heartbeat.Notice);
        hasNews = !isSame || !old!.Ranks.Select(rank => rank.State).SequenceEqual(heartbeat.Ranks.Select(rank => rank.State));

        var attempt = job.Status?.Attempt ?? 0;
        var isOver = job.Metadata.DeletionTimestamp is not null || job.Status?.Phase is TrainingPhase.Succeeded or TrainingPhase.Failed or TrainingPhase.Suspended;
        var command = isOver ? AgentCommand.Stop : heartbeat.Attempt < attempt ? AgentCommand.Restart : AgentCommand.Continue;
        return new HeartbeatResponse { Command = command, Attempt = attempt };
    }

    public ImmutableArray<AgentSnapshot> Of(IEnumerable<V1Pod> pods) => [.. pods.Select(pod => Get(pod.Metadata.Uid)).OfType<AgentSnapshot>()];
}
