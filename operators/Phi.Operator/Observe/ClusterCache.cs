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
    private static readonly TimeSpan WrittenLife = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<ResourceKey, TrainingJob> _written = new();
    private readonly ConcurrentDictionary<ResourceKey, (V1Pod Pod, DateTimeOffset At)> _writtenPods = new();

    public Task Synced => Task.WhenAll(_jobs.Synced, _pods.Synced, _nodes.Synced);

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
    public void Remember(V1Pod written) => _writtenPods[KeyOf(written)] = (written, time.GetUtcNow());

    public IEnumerable<V1Pod> PodsOf(TrainingJob job) =>
        Pods().Where(pod => pod.Metadata.Labels is { } labels && labels.TryGetValue(PhiNames.JobUidLabel, out var uid) && uid == job.Metadata.Uid);

    /// <summary>Nodes with what is free on them: allocatable less the requests of pods that are bound there and have not ended.</summary>
    public ImmutableArray<NodeSnapshot> Nodes()
    {
        var used = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var pod in Pods().Where(pod => pod.Status?.Phase is not ("Succeeded" or "Failed") && Home(pod) is not null))
        {
            used[Home(pod)!] = used.GetValueOrDefault(Home(pod)!) + pod.Spec.Containers.Sum(container => Amount(container.Resources?.Requests));
        }

        return [.. _nodes.All.Select(node => new NodeSnapshot(
            node.Metadata.Name,
            node.Spec?.Unschedulable != true && node.Status?.Conditions?.Any(condition => condition is { Type: "Ready", Status: "True" }) == true,
            node.Metadata.Labels is { } labels && labels.TryGetValue(PhiNames.AcceleratorTypeLabel, out var type) ? type : node.Metadata.Labels is { } more && more.TryGetValue("nvidia.com/gpu.product", out var product) ? product.ToLowerInvariant() : "",
            (int)(Amount(node.Status?.Allocatable) - used.GetValueOrDefault(node.Metadata.Name))))];
    }

    /// <summary>The node that a pod is bound to, or pinned to on its way there.</summary>
    private static string? Home(V1Pod pod) => !string.IsNullOrEmpty(pod.Spec.NodeName)
        ? pod.Spec.NodeName
        : pod.Spec.SchedulingGates is { Count: > 0 }
            ? null
            : pod.Spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution?.NodeSelectorTerms is [{ MatchExpressions: [{ Key: PhiNames.HostnameLabel, Values: [var node] }] }] ? node : null;

    private static decimal Amount(IDictionary<string, ResourceQuantity>? resources) =>
        resources is null ? 0
        : resources.TryGetValue(PhiNames.CpuSlotResource, out var slots) ? slots.ToDecimal()
        : resources.TryGetValue(PhiNames.GpuResource, out var gpus) ? gpus.ToDecimal() : 0;

    private void OnPod(V1Pod? old, V1Pod? now, Action<ResourceKey> onJob, Action<V1Pod> onPodGone)
    {
        var pod = now ?? old!;
        if (now is null)
        {
            _writtenPods.TryRemove(KeyOf(pod), out _);
            onPodGone(pod);
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
        if (old is null || now is null || old.Spec?.Unschedulable != now.Spec?.Unschedulable || Readiness(old) != Readiness(now) || Amount(old.Status?.Allocatable) != Amount(now.Status?.Allocatable))
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

    /// <summary>The informer's pods, with what was written since; what the informer still has not shown after a while was deleted meanwhile.</summary>
    private Dictionary<ResourceKey, V1Pod>.ValueCollection Pods()
    {
        var pods = _pods.All.ToDictionary(KeyOf);
        foreach (var (key, (written, at)) in _writtenPods)
        {
            var isSeen = pods.TryGetValue(key, out var cached) && (cached.Metadata.Uid != written.Metadata.Uid || Version(cached.Metadata.ResourceVersion) >= Version(written.Metadata.ResourceVersion));
            if (isSeen || time.GetUtcNow() - at > WrittenLife)
            {
                _writtenPods.TryRemove(key, out _);
            }
            else
            {
                pods[key] = written;
            }
        }

        return pods.Values;
    }

    private static ResourceKey KeyOf(V1Pod pod) => new(pod.Metadata.NamespaceProperty, pod.Metadata.Name);

    private static ulong Version(string? resourceVersion) => ulong.TryParse(resourceVersion, CultureInfo.InvariantCulture, out var version) ? version : 0;
}
