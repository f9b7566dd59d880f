using k8s.Models;
using Microsoft.Extensions.Logging;
using Phi.Api.CronTrainingJobs;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Api.TrainingQueues;
using Phi.Kubernetes;

namespace Phi.Dashboard.Live;

/// <summary>Jobs, pods, events, queues, cron jobs and nodes as they are now, and word of every change.</summary>
/// <param name="scope">Namespaces whose jobs, pods, events and cron jobs are seen.</param>
internal sealed class LiveState(KubernetesConnection connection, NamespaceScope scope, TimeProvider time, ILoggerFactory logs)
{
    private readonly ScopedInformer<TrainingJob> _jobs = new(scope, connection.TrainingJobs(), null, time, logs.CreateLogger("Phi.Dashboard.Jobs"));
    private readonly ScopedInformer<V1Pod> _pods = new(scope, connection.Pods(), $"&labelSelector={Uri.EscapeDataString(PhiNames.JobUidLabel)}", time, logs.CreateLogger("Phi.Dashboard.Pods"));
    private readonly ScopedInformer<Corev1Event> _events = new(scope, connection.Events(), "&fieldSelector=involvedObject.kind%3DTrainingJob", time, logs.CreateLogger("Phi.Dashboard.Events"));
    private readonly Informer<TrainingQueue> _queues = new(connection.TrainingQueues(), null, null, time, logs.CreateLogger("Phi.Dashboard.Queues"));
    private readonly ScopedInformer<CronTrainingJob> _crons = new(scope, connection.CronTrainingJobs(), null, time, logs.CreateLogger("Phi.Dashboard.Crons"));
    private readonly Informer<V1Node> _nodes = new(connection.Nodes(), null, null, time, logs.CreateLogger("Phi.Dashboard.Nodes"));

    /// <summary>Raised on any thread after something changed.</summary>
    public event Action<LiveChange>? Changed;

    public IReadOnlyList<TrainingJob> Jobs => [.. _jobs.All.OrderByDescending(job => job.Metadata.CreationTimestamp).ThenBy(job => job.Metadata.Name, StringComparer.Ordinal)];

    public IReadOnlyList<TrainingQueue> Queues => [.. _queues.All.OrderBy(queue => queue.Spec.Cohort ?? "", StringComparer.Ordinal).ThenBy(queue => queue.Metadata.Name, StringComparer.Ordinal)];

    public IReadOnlyList<CronTrainingJob> Crons => [.. _crons.All.OrderBy(cron => cron.Metadata.Namespace, StringComparer.Ordinal).ThenBy(cron => cron.Metadata.Name, StringComparer.Ordinal)];

    public IReadOnlyList<V1Node> Nodes => [.. _nodes.All.OrderBy(node => node.Metadata.Name, StringComparer.Ordinal)];

    public TrainingJob? Job(string @namespace, string name) => _jobs.Get(new ResourceKey(@namespace, name));

    public IReadOnlyList<V1Pod> PodsOf(TrainingJob job) =>
        [.. _pods.All.Where(pod => pod.Metadata.Labels[PhiNames.JobUidLabel] == job.Metadata.Uid).OrderBy(pod => pod.Metadata.CreationTimestamp).ThenBy(pod => pod.Metadata.Name, StringComparer.Ordinal)];

    /// <summary>Of all jobs, and not ended.</summary>
    public IReadOnlyList<V1Pod> PodsOn(V1Node node) =>
        [.. _pods.All.Where(pod => pod.Spec.NodeName == node.Metadata.Name && pod.Status?.Phase is not ("Succeeded" or "Failed")).OrderBy(pod => pod.Metadata.Name, StringComparer.Ordinal)];

    /// <summary>Newest first.</summary>
    public IReadOnlyList<Corev1Event> EventsOf(TrainingJob job) =>
        [.. _events.All.Where(happened => happened.InvolvedObject.Uid == job.Metadata.Uid).OrderByDescending(happened => happened.LastTimestamp).ThenByDescending(happened => happened.Metadata.Name, StringComparer.Ordinal)];

    public Task RunAsync(CancellationToken ct) => Task.WhenAll(
        _jobs.RunAsync((key, _, _) => Tell(LiveKind.Job, key), ct),
        _pods.RunAsync((key, old, now) => OnPod(key, (now ?? old)!), ct),
        _events.RunAsync((key, old, now) => Tell(LiveKind.Job, new ResourceKey(key.Namespace, (now ?? old)!.InvolvedObject.Name)), ct),
        _queues.RunAsync((key, _, _) => Tell(LiveKind.Queue, key), ct),
        _crons.RunAsync((key, _, _) => Tell(LiveKind.Cron, key), ct),
        _nodes.RunAsync((key, _, _) => Tell(LiveKind.Node, key), ct));

    private void OnPod(ResourceKey key, V1Pod pod)
    {
        Tell(LiveKind.Job, new ResourceKey(key.Namespace, pod.Metadata.Labels.TryGetValue(PhiNames.JobNameLabel, out var job) ? job : ""));
        if (pod.Spec.NodeName is { Length: > 0 } node)
        {
            Tell(LiveKind.Node, new ResourceKey("", node));
        }
    }

    private void Tell(LiveKind kind, ResourceKey key) => Changed?.Invoke(new LiveChange(kind, key));
}
