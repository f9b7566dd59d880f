using k8s.Models;
using Phi.Api.Metadata;
using Phi.Kubernetes;

namespace Phi.Operator.Observe;

/// <summary>
/// Pods by job, and the accelerators that they hold by node, kept up with each change. What the operator wrote itself counts at once;
/// what the API server still has not shown after a while was deleted meanwhile.
/// </summary>
internal sealed class PodIndex(TimeProvider time)
{
    private static readonly TimeSpan WrittenLife = TimeSpan.FromSeconds(10);
    private readonly Lock _lock = new();
    private readonly Dictionary<ResourceKey, V1Pod> _pods = [];
    private readonly Dictionary<string, Dictionary<ResourceKey, V1Pod>> _byJob = new(StringComparer.Ordinal);
    private readonly Dictionary<string, decimal> _used = new(StringComparer.Ordinal);
    private readonly Dictionary<ResourceKey, DateTimeOffset> _unconfirmed = [];

    public static decimal Accelerators(IDictionary<string, ResourceQuantity>? resources) =>
        resources is null ? 0
        : resources.TryGetValue(PhiNames.CpuSlotResource, out var slots) ? slots.ToDecimal()
        : resources.TryGetValue(PhiNames.GpuResource, out var gpus) ? gpus.ToDecimal() : 0;

    /// <summary>As a write of the operator answered it.</summary>
    public void Write(V1Pod pod)
    {
        lock (_lock)
        {
            if (_pods.TryGetValue(KeyOf(pod), out var known) && known.Metadata.Uid == pod.Metadata.Uid && Version(known) >= Version(pod))
            {
                return;
            }

            Put(pod);
            _unconfirmed[KeyOf(pod)] = time.GetUtcNow();
        }
    }

    /// <summary>As the informer shows it.</summary>
    public void Confirm(V1Pod pod)
    {
        lock (_lock)
        {
            Put(pod);
            _unconfirmed.Remove(KeyOf(pod));
        }
    }

    public void Remove(V1Pod pod)
    {
        lock (_lock)
        {
            // A pod of that name which the operator created since is another one.
            if (_pods.TryGetValue(KeyOf(pod), out var known) && known.Metadata.Uid == pod.Metadata.Uid)
            {
                Drop(KeyOf(pod));
            }
        }
    }

    public IReadOnlyList<V1Pod> Of(string jobUid)
    {
        lock (_lock)
        {
            DropUnconfirmed();
            return _byJob.TryGetValue(jobUid, out var pods) ? [.. pods.Values] : [];
        }
    }

    /// <summary>Accelerators of the node that pods hold which are bound, or pinned, to it and have not ended.</summary>
    public decimal Used(string node)
    {
        lock (_lock)
        {
            DropUnconfirmed();
            return _used.GetValueOrDefault(node);
        }
    }

    private void Put(V1Pod pod)
    {
        var key = KeyOf(pod);
        if (_pods.TryGetValue(key, out var old))
        {
            if (old.Metadata.Uid == pod.Metadata.Uid && Version(old) > Version(pod))
            {
                return;
            }

            Drop(key);
        }

        _pods[key] = pod;
        Count(pod, 1);
        if (JobUid(pod) is { } uid)
        {
            if (!_byJob.TryGetValue(uid, out var pods))
            {
                _byJob[uid] = pods = [];
            }

            pods[key] = pod;
        }
    }

    private void Drop(ResourceKey key)
    {
        if (!_pods.Remove(key, out var pod))
        {
            return;
        }

        _unconfirmed.Remove(key);
        Count(pod, -1);
        if (JobUid(pod) is { } uid && _byJob.TryGetValue(uid, out var pods) && pods.Remove(key) && pods.Count == 0)
        {
            _byJob.Remove(uid);
        }
    }

    private void DropUnconfirmed()
    {
        if (_unconfirmed.Count == 0)
        {
            return;
        }

        var now = time.GetUtcNow();
        foreach (var (key, _) in _unconfirmed.Where(entry => now - entry.Value > WrittenLife).ToList())
        {
            Drop(key);
        }
    }

    private void Count(V1Pod pod, int sign)
    {
        if (pod.Status?.Phase is "Succeeded" or "Failed" || Home(pod) is not { } node)
        {
            return;
        }

        var used = _used.GetValueOrDefault(node) + sign * pod.Spec.Containers.Sum(container => Accelerators(container.Resources?.Requests));
        if (used == 0)
        {
            _used.Remove(node);
        }
        else
        {
            _used[node] = used;
        }
    }

    /// <summary>The node that a pod is bound to, or pinned to on its way there.</summary>
    private static string? Home(V1Pod pod) => !string.IsNullOrEmpty(pod.Spec.NodeName)
        ? pod.Spec.NodeName
        : pod.Spec.SchedulingGates is { Count: > 0 }
            ? null
            : pod.Spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution?.NodeSelectorTerms is [{ MatchExpressions: [{ Key: PhiNames.HostnameLabel, Values: [var node] }] }] ? node : null;

    private static string? JobUid(V1Pod pod) => pod.Metadata.Labels is { } labels && labels.TryGetValue(PhiNames.JobUidLabel, out var uid) ? uid : null;

    private static ulong Version(V1Pod pod) => ClusterCache.Version(pod.Metadata.ResourceVersion);

    private static ResourceKey KeyOf(V1Pod pod) => new(pod.Metadata.NamespaceProperty, pod.Metadata.Name);
}
