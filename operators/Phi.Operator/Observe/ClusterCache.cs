using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Reconcile.Snapshots;

namespace Phi.Operator.Observe;

/// <summary>Jobs, pods and nodes as the informers have them, with the operator's own newest status on top.</summary>
internal sealed class ClusterCache(KubernetesConnection connection, TimeProvider time, ILoggerFactory logs)
{
    private readonly Informer<TrainingJob> _jobs = new(connection.TrainingJobs(), null, null, time, logs.CreateLogger("Phi.Operator.Jobs"));
    private readonly Informer<V1Pod> _pods = new(connection.Pods(), null, null, time, logs.CreateLogger("Phi.Operator.Pods"));
    private readonly Informer<V1Node> _nodes = new(connection.Nodes(), null, null, time, logs.CreateLogger("Phi.Operator.Nodes"));
    private readonly ConcurrentDictionary<ResourceKey, TrainingJob> _written = new();
    private readonly PodIndex _podIndex = new(time);

    public IReadOnlyList<IInformer> Informers => [_jobs, _pods, _nodes];

    public Task Synced => Task.WhenAll(Informers.Select(informer => informer.Synced));

    public IReadOnlyCollection<TrainingJob> Jobs => _jobs.All;

    /// <summary>Follows until cancelled; hears of every job that a change may concern, and of pods that are gone.</summary>
    public Task RunAsync(Action<ResourceKey> onJob, Action<V1Pod> onPodGone, CancellationToken ct) => Task.WhenAll(
        _jobs.RunAsync((key, _, _) => onJob(key), ct),
        _pods.RunAsync((_, old, now) => OnPod(old, now, onJob, onPodGone), ct),
        _nodes.RunAsync((_, old, now) => OnNode(old, now, onJob), ct));

    public TrainingJob? Job(ResourceKey key)
    {
        var cached = _jobs.Get(key);
        if (!_written.TryGetValue(key, out var written))
        {
            return cached;
        }

        if (cached is null || cached.Metadata.Uid != written.Metadata.Uid || Version(cached.Metadata.ResourceVersion) >= Version(written.Metadata.ResourceVersion))
        {
            _written.TryRemove(key, out _);
            return cached;
        }

        return written;
    }

    /// <summary>What the operator has written is what it sees, even before the informer does.</summary>
    public void Remember(ResourceKey key, TrainingJob written) => _written[key] = written;

    /// <summary>The same for a pod that the operator created or changed.</summary>
    public void Remember(V1Pod written) => _podIndex.Write(written);

    public IReadOnlyList<V1Pod> PodsOf(TrainingJob job) => _podIndex.Of(job.Metadata.Uid!);

    /// <summary>Nodes with what is free on them: allocatable less the requests of pods that are bound there and have not ended.</summary>
    public ImmutableArray<NodeSnapshot> Nodes()
    {
        return [.. _nodes.All.Select(node => new NodeSnapshot(
            node.Metadata.Name,
            node.Spec?.Unschedulable != true && node.Status?.Conditions?.Any(condition => condition is { Type: "Ready", Status: "True" }) == true,
            node.Metadata.Labels is { } labels && labels.TryGetValue(PhiNames.AcceleratorTypeLabel, out var type) ? type : node.Metadata.Labels is { } more && more.TryGetValue("nvidia.com/gpu.product", out var product) ? product.ToLowerInvariant() : "",
            (int)(PodIndex.Accelerators(node.Status?.Allocatable) - _podIndex.Used(node.Metadata.Name))))];
    }

    private void OnPod(V1Pod? old, V1Pod? now, Action<ResourceKey> onJob, Action<V1Pod> onPodGone)
    {
        var pod = now ?? old!;
        if (now is null)
        {
            _podIndex.Remove(pod);
            onPodGone(pod);
        }
        else
        {
            _podIndex.Confirm(now);
        }

        if (pod.Metadata.Labels is { } labels && labels.TryGetValue(PhiNames.JobNameLabel, out var job))
        {
            onJob(new ResourceKey(pod.Metadata.NamespaceProperty, job));
        }

        // Room that became free may be what another job waits for.
        if (now is null || now.Status?.Phase is "Succeeded" or "Failed")
        {
            Wake(onJob);
        }
    }

    private void OnNode(V1Node? old, V1Node? now, Action<ResourceKey> onJob)
    {
        if (old is null || now is null || old.Spec?.Unschedulable != now.Spec?.Unschedulable || Readiness(old) != Readiness(now) || PodIndex.Accelerators(old.Status?.Allocatable) != PodIndex.Accelerators(now.Status?.Allocatable))
        {
            Wake(onJob);
        }

        static string? Readiness(V1Node node) => node.Status?.Conditions?.FirstOrDefault(condition => condition.Type == "Ready")?.Status;
    }

    private void Wake(Action<ResourceKey> onJob)
    {
        foreach (var job in _jobs.All.Where(job => job.Status?.Phase is TrainingPhase.Pending or TrainingPhase.Restarting))
        {
            onJob(new ResourceKey(job.Metadata.Namespace ?? "", job.Metadata.Name!));
        }
    }

    internal static ulong Version(string? resourceVersion) => ulong.TryParse(resourceVersion, CultureInfo.InvariantCulture, out var version) ? version : 0;
}
