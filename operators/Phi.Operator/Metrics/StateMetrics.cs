using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.AgentApi;
using Phi.Operator.Leader;
using Phi.Operator.Observe;

namespace Phi.Operator.Metrics;

/// <summary>Gauges that are read off the operator's state whenever somebody collects.</summary>
internal static class StateMetrics
{
    private static readonly string[] Phases =
    [
        TrainingPhase.Pending, TrainingPhase.Starting, TrainingPhase.Running, TrainingPhase.Restarting, TrainingPhase.Suspended, TrainingPhase.Succeeded, TrainingPhase.Failed,
    ];

    public static void Register(OperatorMetrics metrics, ClusterCache cluster, AgentHub agents, Leadership leadership, IEnumerable<IInformer> informers)
    {
        var jobs = metrics.Factory.CreateGauge("phi_jobs", "Training jobs by phase.", ["phase"]);
        var leader = metrics.Factory.CreateGauge("phi_leader", "1 on the replica that leads, else 0.");
        var silent = metrics.Factory.CreateGauge("phi_agents_silent", "Agents of running pods that the leader has not heard of for 10 s.");
        var restarts = metrics.Factory.CreateCounter("phi_watch_restarts_total", "Watches that were lost and taken up again by a new list.", ["resource"]);
        metrics.Registry.AddBeforeCollectCallback(() =>
        {
            var byPhase = cluster.Jobs.CountBy(job => job.Status?.Phase is { Length: > 0 } phase ? phase : TrainingPhase.Pending).ToDictionary();
            foreach (var phase in Phases)
            {
                jobs.WithLabels(phase).Set(byPhase.GetValueOrDefault(phase));
            }

            leader.Set(leadership.IsLeading ? 1 : 0);
            silent.Set(leadership.IsLeading ? agents.CountSilent() : 0);
            foreach (var informer in informers)
            {
                restarts.WithLabels(informer.Resource).IncTo(informer.Restarts);
            }
        });
    }
}
