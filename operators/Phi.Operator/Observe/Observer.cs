using Phi.Api.TrainingJobs;
using Phi.Operator.AgentApi;
using Phi.Reconcile.Snapshots;

namespace Phi.Operator.Observe;

/// <summary>Builds the snapshot that a decision is made of.</summary>
internal sealed class Observer(ClusterCache cluster, AgentHub agents, TimeProvider time)
{
    public JobSnapshot Observe(TrainingJob job)
    {
        var pods = cluster.PodsOf(job).ToList();
        if (job.Status?.Phase is TrainingPhase.Succeeded or TrainingPhase.Failed)
        {
            agents.Reports.Forget(job.Metadata.Uid!);
        }

        return new JobSnapshot
        {
            Job = TrainingJobDefaults.Apply(job),
            Errors = [.. TrainingJobValidator.Validate(job)],
            Pods = [.. pods.Select(PodReader.Read)],
            Nodes = cluster.Nodes(),
            Agents = agents.Of(pods),
            ListeningSince = agents.ListeningSince,
            ProgressedAt = agents.Reports.Newest(job.Metadata.Uid!, job.Status?.Attempt ?? 0),
            Now = time.GetUtcNow(),
        };
    }
}
