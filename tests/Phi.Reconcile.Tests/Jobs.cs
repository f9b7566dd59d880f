using System.Collections.Immutable;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Tests;

/// <summary>Snapshots of a job of two pods with two ranks each.</summary>
internal static class Jobs
{
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static JobSnapshot New(Action<TrainingJob>? change = null)
    {
        var job = new TrainingJob
        {
            Metadata = new ObjectMeta { Name = "job", Namespace = "default", Uid = "11111111-2222", Generation = 1, CreationTimestamp = Start, Finalizers = [PhiNames.JobFinalizer] },
            Spec = new TrainingJobSpec { Replicas = 2, Accelerator = new AcceleratorSpec { Type = "cpu", PerReplica = 2 }, Phi = new PhiSpec { Steps = 10, Data = new DataSpec { Sources = ["/x"] } } },
        };
        change?.Invoke(job);
        return new JobSnapshot
        {
            Job = TrainingJobDefaults.Apply(job),
            Errors = [],
            Pods = [],
            Nodes = [new NodeSnapshot("node-0", true, "cpu", 4), new NodeSnapshot("node-1", true, "cpu", 4)],
            Agents = [],
            ListeningSince = Start,
            Now = Start,
        };
    }

    /// <summary>Attempt 1 runs on both pods.</summary>
    public static JobSnapshot Running(Action<TrainingJob>? change = null) => New(job =>
    {
        job.Status = new TrainingJobStatus { Phase = TrainingPhase.Running, Attempt = 1, StartTime = Start };
        change?.Invoke(job);
    }) with
    {
        Pods = [Pod(0), Pod(1)],
        Agents = [Agent(0), Agent(1)],
    };

    public static PodSnapshot Pod(int index, string phase = "Running") => new() { Name = $"job-{index}", Uid = $"pod-{index}", Index = index, Phase = phase, Node = "node-0", Ip = $"127.1.0.{index + 1}" };

    public static AgentSnapshot Agent(int index, RankState state = RankState.Training, int? exitCode = null, DateTimeOffset? endedSince = null, int attempt = 1) =>
        new($"pod-{index}", attempt, false, [new RankHeartbeat { Rank = index * 2, State = state, ExitCode = exitCode }, new RankHeartbeat { Rank = index * 2 + 1, State = RankState.Training }], endedSince, Start, Start);

    public static JobSnapshot With(this JobSnapshot snapshot, int index, Func<PodSnapshot, PodSnapshot> change) =>
        snapshot with { Pods = [.. snapshot.Pods.Select(pod => pod.Index == index ? change(pod) : pod)] };

    /// <summary>So many seconds after the start, every agent having just been heard.</summary>
    public static JobSnapshot HeardAt(this JobSnapshot snapshot, double seconds) =>
        snapshot with { Now = Start.AddSeconds(seconds), Agents = [.. snapshot.Agents.Select(agent => agent with { LastSeen = Start.AddSeconds(seconds) })] };

    /// <summary>Both ranks of a pod in training at a step, as their agent says at the start.</summary>
    public static AgentSnapshot Training(int index, long step, Func<RankHeartbeat, RankHeartbeat>? change = null) =>
        new($"pod-{index}", 1, false, [.. new[] { index * 2, index * 2 + 1 }.Select(rank => new RankHeartbeat { Rank = rank, State = RankState.Training, Step = step }).Select(change ?? (rank => rank))], null, Start, Start);

    public static NodeSnapshot Node(int index, string ready = "True", params NodeTaint[] taints) =>
        new($"node-{index}", ready == "True", "cpu", 4) { Health = new NodeHealth(ready, ready == "True" ? null : "Kubelet stopped posting node status.", false, [.. taints]) };

    public static InterruptionStatus Last(this Decisions.JobDecision decision) => decision.Status!.Interruptions![^1];

    public static JobSnapshot WithAgents(this JobSnapshot snapshot, params AgentSnapshot[] agents) => snapshot with { Agents = [.. agents] };

    /// <summary>The snapshot after a decision's status was written and its actions were carried out.</summary>
    public static JobSnapshot After(this JobSnapshot snapshot, Decisions.JobDecision decision)
    {
        var pods = snapshot.Pods.ToList();
        var job = TrainingJobDefaults.Apply(snapshot.Job);
        job.Status = decision.Status ?? job.Status;
        foreach (var action in decision.Actions)
        {
            switch (action)
            {
                case Decisions.JobAction.CreatePod create:
                    pods.Add(new PodSnapshot { Name = create.Name, Uid = $"uid-{create.Name}", Index = create.Index, Phase = "Pending", IsGated = true, Attempt = create.Attempt, GangSize = job.Status?.Replicas ?? job.Spec.Replicas });
                    break;
                case Decisions.JobAction.DeletePod delete:
                    pods.RemoveAll(pod => pod.Uid == delete.Uid);
                    break;
                case Decisions.JobAction.PlaceGang place:
                    pods = [.. pods.Select(pod => place.Placements.FirstOrDefault(placement => placement.Uid == pod.Uid) is { } at ? pod with { IsGated = false, Node = at.Node, Phase = "Running" } : pod)];
                    break;
                case Decisions.JobAction.AddFinalizer:
                    job.Metadata.Finalizers = [PhiNames.JobFinalizer];
                    break;
                case Decisions.JobAction.RemoveFinalizer:
                    job.Metadata.Finalizers = [];
                    break;
            }
        }

        return snapshot with { Job = job, Pods = [.. pods] };
    }

    public static ImmutableArray<T> Of<T>(this Decisions.JobDecision decision)
        where T : Decisions.JobAction => [.. decision.Actions.OfType<T>()];
}
