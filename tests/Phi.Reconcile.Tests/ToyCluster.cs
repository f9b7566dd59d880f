using System.Collections.Immutable;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Tests;

/// <summary>Nodes and jobs whose decisions are carried out at once; a pod that is placed runs.</summary>
internal sealed class ToyCluster(ImmutableArray<NodeSnapshot> nodes, bool keepsRoom = true)
{
    private readonly SortedDictionary<int, JobSnapshot> _jobs = [];
    private int _next;

    public DateTimeOffset Now { get; private set; } = Jobs.Start;

    public IReadOnlyCollection<int> Ids => [.. _jobs.Keys];

    public int Add(int replicas, int perReplica, Action<TrainingJob>? change = null)
    {
        var id = _next++;
        _jobs[id] = Jobs.New(job =>
        {
            (job.Metadata.Name, job.Metadata.Uid, job.Spec.Replicas, job.Spec.Accelerator!.PerReplica) = ($"job{id}", $"uid-{id}", replicas, perReplica);
            job.Status = new TrainingJobStatus { Phase = TrainingPhase.Pending, Attempt = 1 };
            change?.Invoke(job);
        });
        return id;
    }

    public void Remove(int id) => _jobs.Remove(id);

    public void Wait(TimeSpan time) => Now += time;

    public void LosePod(int id, int index) => _jobs[id] = _jobs[id] with { Pods = [.. _jobs[id].Pods.Where(pod => pod.Index != index || pod.Place is null)] };

    /// <summary>Takes over another cluster's job with the one pod that is left of it, on a node of its own.</summary>
    public void Adopt(ToyCluster other, int id, string node) =>
        _jobs[id] = other._jobs[id] with { Pods = [other._jobs[id].Pods[0] with { Node = node }] };

    public bool IsWaiting(int id) => _jobs[id].Status.Phase is TrainingPhase.Pending or TrainingPhase.Restarting;

    public ImmutableArray<PodSnapshot> Pods(int id) => _jobs[id].Pods;

    public int Used(string node) => _jobs.Values.Sum(job => job.Pods.Count(pod => pod.Place == node && !pod.HasEnded) * job.PerReplica);

    /// <summary>One reconcile of one job.</summary>
    public (JobSnapshot Before, JobDecision Decision, JobSnapshot After) Step(int id)
    {
        // Older jobs are first in line.
        var before = Look(id) with { Ahead = keepsRoom ? Reservation.Head(_jobs.Keys.Where(other => other < id && IsWaiting(other)).Select(Look)) : null };
        var decision = JobReconciler.Decide(before);
        _jobs[id] = before.After(decision);
        return (before, decision, Look(id));
    }

    private JobSnapshot Look(int id) => _jobs[id] with
    {
        Now = Now,
        Ahead = null,
        Nodes = [.. nodes.Select(node => node with { Free = node.Free - Used(node.Name), Capacity = node.Free / _jobs[id].PerReplica })],
    };
}
