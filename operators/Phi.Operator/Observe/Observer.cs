using System.Collections.Immutable;
using k8s.Models;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.AgentApi;
using Phi.Operator.Queues;
using Phi.Operator.Tracing;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;

namespace Phi.Operator.Observe;

/// <summary>Builds the snapshot that a decision is made of, and has it made.</summary>
/// <param name="decide">Pure.</param>
internal sealed class Observer(ClusterCache cluster, AgentHub agents, QueueManager queues, Func<JobSnapshot, JobDecision> decide, TimeProvider time)
{
    private readonly Lock _deciding = new();

    /// <summary>
    /// Observes and decides, one job at a time: a place that one decision gives away counts for the next, whatever of it is written by then.
    /// </summary>
    public (JobSnapshot Snapshot, JobDecision Decision) Decide(TrainingJob job)
    {
        lock (_deciding)
        {
            cluster.ForgetAssumed(job);
            if (job.Status?.Phase is TrainingPhase.Succeeded or TrainingPhase.Failed)
            {
                agents.Reports.Forget(job.Metadata.Uid!);
            }

            var snapshot = Traced("observe", () => Observe(job));
            var decision = Traced("decide", () => decide(snapshot));
            cluster.Assume(job, decision.Actions.OfType<JobAction.PlaceGang>().SelectMany(place => place.Placements));
            return (snapshot, decision);
        }
    }

    private JobSnapshot Observe(TrainingJob job)
    {
        var pods = cluster.PodsOf(job);
        var snapshot = Snapshot(job, pods, IsPlacing(job, pods)) with { Agents = agents.Of(pods), Refusal = cluster.TakeRefusal(job), CreationRefusal = cluster.TakeCreationRefusal(job) };
        // A queue has an order of its own.
        var isInLine = snapshot.Job.Spec.Queue is null && job.Metadata.Labels?.ContainsKey(Phi.Api.Metadata.PhiNames.KueueQueueLabel) != true;
        return isInLine && IsPlacing(job, pods) ? snapshot with { Ahead = Reservation.Head(cluster.Before(snapshot.Job).Select(waiting => Snapshot(waiting, cluster.PodsOf(waiting), true))) } : snapshot;
    }

    private JobSnapshot Snapshot(TrainingJob job, IReadOnlyList<V1Pod> pods, bool isPlacing)
    {
        var (effective, errors) = cluster.Read(job);
        return new JobSnapshot
        {
            Job = effective,
            Errors = errors,
            Pods = [.. pods.Select(PodReader.Read)],
            Nodes = errors.IsEmpty ? cluster.Nodes(effective, pods, isPlacing) : [],
            AcceleratorTypes = cluster.AcceleratorTypes,
            Agents = [],
            Admission = queues.Admission(job),
            ListeningSince = agents.ListeningSince,
            ProgressedAt = agents.Reports.Newest(job.Metadata.Uid!, job.Status?.Attempt ?? 0),
            Source = InitializeSource.IsAwaited(job) && cluster.Job(new ResourceKey(job.Metadata.Namespace!, job.Spec.Phi!.Initialize!.From!.Job!)) is { } source ? SourceReader.Read(source) : null,
            Now = time.GetUtcNow(),
        };
    }

    /// <summary>Whether the job needs nodes that its pods are not on: it is being assembled, or could grow.</summary>
    private static bool IsPlacing(TrainingJob job, IReadOnlyList<V1Pod> pods) =>
        job.Status?.Phase is TrainingPhase.Pending or TrainingPhase.Restarting
        || (job.Status?.Phase is TrainingPhase.Starting or TrainingPhase.Running
            && (job.Status.Replicas < (job.Spec.Replicas ?? 1) || pods.Any(pod => pod.Spec.SchedulingGates is { Count: > 0 })));

    private static T Traced<T>(string name, Func<T> work)
    {
        using var span = OperatorTracing.Source.StartActivity(name);
        return work();
    }
}
