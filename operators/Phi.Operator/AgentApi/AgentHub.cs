using System.Collections.Immutable;
using k8s.Models;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.Observe;
using Phi.Reconcile.Snapshots;

namespace Phi.Operator.AgentApi;

/// <summary>What agents ask and say.</summary>
internal sealed class AgentHub(ClusterCache cluster, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(10);
    private readonly AgentRegister _agents = new(time);
    private readonly Listening _listening = new(time);

    public DateTimeOffset ListeningSince => _listening.Since;

    /// <summary>Of container jobs, which have no agents.</summary>
    public ContainerReports Reports { get; } = new(time);

    public AgentSnapshot? Get(string podUid) => _agents.Get(podUid);

    public void Forget(string podUid) => _agents.Forget(podUid);

    /// <summary>Agents are heard from now on: what they said before is old, and what they said to others is not known.</summary>
    public void Listen()
    {
        _agents.Clear();
        _listening.Restart();
    }

    /// <summary>Agents, of pods that are still there, that said nothing for 10 s.</summary>
    public int CountSilent() => _agents.CountSilent(Silence);

    public void Dispose() => _listening.Dispose();

    /// <summary>The pod's part, once every pod of the gang runs; null if the job is gone.</summary>
    public AssignmentResponse? Assign(AssignmentRequest request, AgentTokens tokens)
    {
        if (cluster.Job(new ResourceKey(request.Namespace, request.Job)) is not { } job || job.Metadata.Uid != request.JobUid)
        {
            return null;
        }

        var pods = cluster.PodsOf(job);
        if (pods.Any(pod => pod.Metadata.Uid == request.PodUid))
        {
            _agents.Hear(request.PodUid);
        }

        if (job.Status?.Phase is not (TrainingPhase.Starting or TrainingPhase.Running))
        {
            return new AssignmentResponse { WaitReason = $"the job is {job.Status?.Phase ?? TrainingPhase.Pending}" };
        }

        var spec = cluster.Read(job).Job.Spec;
        var (replicas, perReplica, attempt) = (job.Status.Replicas ?? spec.Replicas!.Value, spec.Accelerator!.PerReplica!.Value, job.Status.Attempt!.Value);
        var gang = pods.Where(pod => pod.Metadata.DeletionTimestamp is null && pod.Status?.Phase == "Running" && !string.IsNullOrEmpty(pod.Status.PodIP)).ToList();
        var missing = Enumerable.Range(0, replicas).Where(index => !gang.Exists(pod => PodReader.Index(pod) == index)).ToList();
        if (missing.Count > 0)
        {
            return new AssignmentResponse { WaitReason = $"{replicas - missing.Count} of {replicas} pods are running" };
        }

        if (request.ReplicaIndex >= replicas || !gang.Exists(pod => pod.Metadata.Uid == request.PodUid))
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
                PeerKey = tokens.PeerKey(request.JobUid, attempt),
                Initialize = InitializeSource.Location(spec, job.Status) is { } location ? new InitializeAssignment(location, spec.Phi!.Initialize!.Step, spec.Phi.Initialize.What!) : null,
                ResumeStep = job.Status.Checkpoint?.Step,
                EvaluatedStep = job.Status.Evaluation?.Step,
                SkippedBatches = job.Status.SkippedBatches ?? [],
                Spec = spec,
            },
        };
    }

    /// <summary>Takes a heartbeat in; null if the job is gone. <paramref name="hasNews"/> if a decision may depend on what it says.</summary>
    public HeartbeatResponse? Beat(Heartbeat heartbeat, out bool hasNews)
    {
        hasNews = false;
        if (cluster.Job(new ResourceKey(heartbeat.Namespace, heartbeat.Job)) is not { } job || job.Metadata.Uid != heartbeat.JobUid)
        {
            return null;
        }

        // A pod that is gone is not remembered again: nobody would ever forget it.
        var gang = cluster.PodsOf(job).Select(pod => pod.Metadata.Uid).ToList();
        hasNews = gang.Contains(heartbeat.PodUid) && _agents.Beat(heartbeat, gang, Stragglers(job));
        var attempt = job.Status?.Attempt ?? 0;
        // A larger gang is to follow: Restart would kill the ranks, Stop lets them save at a step boundary, without a deadline.
        var isGrowing = heartbeat.Attempt == attempt && job.Status?.Conditions?.Exists(condition => condition is { Type: TrainingConditions.Resizing, Status: "True" }) == true;
        var isOver = isGrowing || job.Metadata.DeletionTimestamp is not null || job.Status?.Phase is TrainingPhase.Succeeded or TrainingPhase.Failed or TrainingPhase.Suspended;
        var command = isOver ? AgentCommand.Stop : heartbeat.Attempt < attempt ? AgentCommand.Restart : AgentCommand.Continue;
        return new HeartbeatResponse { Command = command, Attempt = attempt };
    }

    /// <summary>Events are the progress of a container job; of any other, the heartbeats tell whether it moves.</summary>
    public void Hear(EventBatch batch)
    {
        if (cluster.Job(new ResourceKey(batch.Namespace, batch.Job)) is { Spec.Container: not null } job && job.Metadata.Uid == batch.JobUid)
        {
            Reports.Add(batch);
        }
    }

    private static StragglerSpec Stragglers(TrainingJob job)
    {
        var given = job.Spec.Recovery?.Stragglers;
        return new StragglerSpec { Factor = given?.Factor ?? TrainingJobDefaults.StragglerFactor, Steps = given?.Steps ?? TrainingJobDefaults.StragglerSteps };
    }

    public ImmutableArray<AgentSnapshot> Of(IEnumerable<V1Pod> pods) => [.. pods.Select(pod => Get(pod.Metadata.Uid)).OfType<AgentSnapshot>()];
}
