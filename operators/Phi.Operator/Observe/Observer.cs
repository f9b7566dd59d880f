using Phi.Api.TrainingJobs;
using Phi.Operator.AgentApi;
using Phi.Operator.Queues;
using Phi.Reconcile.Snapshots;

namespace Phi.Operator.Observe;

/// <summary>Builds the snapshot that a decision is made of.</summary>
internal sealed class Observer(ClusterCache cluster, AgentHub agents, QueueManager queues, TimeProvider time)
{
    public JobSnapshot Observe(TrainingJob job)
    {
        var pods = cluster.PodsOf(job).ToList();
        return new JobSnapshot
        {
            Job = TrainingJobDefaults.Apply(job),
            Errors = [.. TrainingJobValidator.Validate(job)],
            Pods = [.. pods.Select(PodReader.Read)],
            Nodes = cluster.Nodes(),
            Agents = agents.Of(pods),
            Admission = queues.Admission(job),
            ListeningSince = agents.ListeningSince,
            Now = time.GetUtcNow(),
        };
    }
}
