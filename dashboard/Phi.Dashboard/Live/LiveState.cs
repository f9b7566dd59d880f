using k8s.Models;
using Microsoft.Extensions.Logging;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;

namespace Phi.Dashboard.Live;

/// <summary>Jobs, pods and events as they are now, and word of every change.</summary>
internal sealed class LiveState(KubernetesConnection connection, TimeProvider time, ILoggerFactory logs)
{
    private readonly Informer<TrainingJob> _jobs = new(connection.TrainingJobs(), null, null, time, logs.CreateLogger("Phi.Dashboard.Jobs"));
    private readonly Informer<V1Pod> _pods = new(connection.Pods(), null, $"&labelSelector={Uri.EscapeDataString(PhiNames.JobUidLabel)}", time, logs.CreateLogger("Phi.Dashboard.Pods"));
    private readonly Informer<Corev1Event> _events = new(connection.Events(), null, "&fieldSelector=involvedObject.kind%3DTrainingJob", time, logs.CreateLogger("Phi.Dashboard.Events"));

    /// <summary>Raised on any thread after a job, one of its pods or its events changed; the key is the job's.</summary>
    public event Action<ResourceKey>? Changed;

    public IReadOnlyList<TrainingJob> Jobs => [.. _jobs.All.OrderByDescending(job => job.Metadata.CreationTimestamp).ThenBy(job => job.Metadata.Name, StringComparer.Ordinal)];

    public TrainingJob? Job(string @namespace, string name) => _jobs.Get(new ResourceKey(@namespace, name));

    public IReadOnlyList<V1Pod> PodsOf(TrainingJob job) =>
        [.. _pods.All.Where(pod => pod.Metadata.Labels[PhiNames.JobUidLabel] == job.Metadata.Uid).OrderBy(pod => pod.Metadata.CreationTimestamp).ThenBy(pod => pod.Metadata.Name, StringComparer.Ordinal)];

    /// <summary>Newest first.</summary>
    public IReadOnlyList<Corev1Event> EventsOf(TrainingJob job) =>
        [.. _events.All.Where(happened => happened.InvolvedObject.Uid == job.Metadata.Uid).OrderByDescending(happened => happened.LastTimestamp).ThenByDescending(happened => happened.Metadata.Name, StringComparer.Ordinal)];

    public Task RunAsync(CancellationToken ct) => Task.WhenAll(
        _jobs.RunAsync((key, _, _) => Changed?.Invoke(key), ct),
        _pods.RunAsync((key, old, now) => Changed?.Invoke(new ResourceKey(key.Namespace, (now ?? old)!.Metadata.Labels.TryGetValue(PhiNames.JobNameLabel, out var job) ? job : "")), ct),
        _events.RunAsync((key, old, now) => Changed?.Invoke(new ResourceKey(key.Namespace, (now ?? old)!.InvolvedObject.Name)), ct));
}
