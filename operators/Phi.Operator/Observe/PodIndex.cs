using k8s.Models;
using Phi.Api.Metadata;
using Phi.Kubernetes;
using Phi.Kubernetes.Scheduling;
using Phi.Operator.Execute;

namespace Phi.Operator.Observe;

/// <summary>
/// Pods by job, and what they take of each node, kept up with each change. What the operator wrote itself counts at once, and what it has
/// decided even before it is written; what the API server still has not shown after a while was deleted meanwhile.
/// </summary>
internal sealed class PodIndex(TimeProvider time)
{
    private static readonly TimeSpan WrittenLife = TimeSpan.FromSeconds(10);

    /// <summary>As long as the API server shows nothing newer at all, it may only be late.</summary>
    private static readonly TimeSpan LongestLife = TimeSpan.FromSeconds(60);
    private readonly Lock _lock = new();
    private readonly Dictionary<ResourceKey, V1Pod> _pods = [];
    private readonly Dictionary<string, Dictionary<ResourceKey, V1Pod>> _byJob = new(StringComparer.Ordinal);
    private readonly NodeUsage _usage = new();
    private readonly Dictionary<ResourceKey, (string Node, Dictionary<string, decimal> Requests)> _counted = [];

    /// <summary>Places that were decided on and not yet written.</summary>
    private readonly Dictionary<ResourceKey, string> _assumed = [];
    private readonly Dictionary<ResourceKey, DateTimeOffset> _unconfirmed = [];

    /// <summary>Uids of pods that the API server was told to delete, and by when they are to be gone.</summary>
    private readonly Dictionary<string, DateTime> _leaving = new(StringComparer.Ordinal);
    private ulong _seen;

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

    /// <summary>The API server has taken the operator's deletion of a pod, though the informer may not show it yet.</summary>
    public void Leave(ResourceKey key, string uid, long? gracePeriodSeconds)
    {
        lock (_lock)
        {
            if (_pods.TryGetValue(key, out var pod) && pod.Metadata.Uid == uid)
            {
                _leaving[uid] = time.GetUtcNow().UtcDateTime.AddSeconds(gracePeriodSeconds ?? pod.Spec.TerminationGracePeriodSeconds ?? 30);
                Mark(pod);
            }
        }
    }

    /// <summary>As the informer shows it.</summary>
    public void Confirm(V1Pod pod)
    {
        lock (_lock)
        {
            _seen = Math.Max(_seen, Version(pod));
            Put(pod);
            if (_pods.TryGetValue(KeyOf(pod), out var known) && known.Metadata.Uid == pod.Metadata.Uid)
            {
                _unconfirmed.Remove(KeyOf(pod));
            }
        }
    }

    public void Remove(V1Pod pod)
    {
        lock (_lock)
        {
            _seen = Math.Max(_seen, Version(pod));
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

    public V1Pod? Get(ResourceKey key)
    {
        lock (_lock)
        {
            DropUnconfirmed();
            return _pods.GetValueOrDefault(key);
        }
    }

    /// <summary>spec.priority of the job's pods, which admission has set from their class; 0 before there are any.</summary>
    public int PriorityOf(string jobUid)
    {
        lock (_lock)
        {
            return _byJob.TryGetValue(jobUid, out var pods) ? pods.Values.Select(pod => pod.Spec.Priority ?? 0).DefaultIfEmpty(0).Max() : 0;
        }
    }

    /// <summary>Counts a pod on the node that it is about to be pinned to.</summary>
    public void Assume(ResourceKey key, string uid, string node)
    {
        lock (_lock)
        {
            if (_pods.TryGetValue(key, out var pod) && pod.Metadata.Uid == uid)
            {
                _assumed[key] = node;
                Count(key, pod);
            }
        }
    }

    /// <summary>Forgets what was assumed of a job: its places are decided anew.</summary>
    public void ForgetAssumed(string jobUid)
    {
        lock (_lock)
        {
            foreach (var (key, pod) in _byJob.GetValueOrDefault(jobUid) ?? [])
            {
                if (_assumed.Remove(key))
                {
                    Count(key, pod);
                }
            }
        }
    }

    /// <summary>Reads what is taken of the nodes, all of it at the same moment.</summary>
    public T Read<T>(Func<NodeUsage, T> read)
    {
        lock (_lock)
        {
            DropUnconfirmed();
            return read(_usage);
        }
    }

    private void Put(V1Pod pod)
    {
        var key = KeyOf(pod);
        if (_pods.TryGetValue(key, out var old))
        {
            // A late word, perhaps of an earlier pod of that name.
            if (Version(old) > Version(pod))
            {
                return;
            }

            Forget(key, isSamePod: old.Metadata.Uid == pod.Metadata.Uid);
        }

        Mark(pod);
        _pods[key] = pod;
        Count(key, pod);
        if (JobUid(pod) is { } uid)
        {
            if (!_byJob.TryGetValue(uid, out var pods))
            {
                _byJob[uid] = pods = [];
            }

            pods[key] = pod;
        }
    }

    private void Mark(V1Pod pod)
    {
        if (_leaving.TryGetValue(pod.Metadata.Uid, out var by))
        {
            pod.Metadata.DeletionTimestamp ??= by;
        }
    }

    private void Drop(ResourceKey key) => Forget(key, isSamePod: false);

    private void Forget(ResourceKey key, bool isSamePod)
    {
        if (!_pods.Remove(key, out var pod))
        {
            return;
        }

        if (!isSamePod)
        {
            _unconfirmed.Remove(key);
            _assumed.Remove(key);
            _leaving.Remove(pod.Metadata.Uid);
        }

        Uncount(key, pod);
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
        foreach (var (key, since) in _unconfirmed.ToList())
        {
            if (now - since > (_pods.TryGetValue(key, out var pod) && _seen > Version(pod) ? WrittenLife : LongestLife))
            {
                Drop(key);
            }
        }
    }

    private void Count(ResourceKey key, V1Pod pod)
    {
        Uncount(key, pod);
        if (pod.Status?.Phase is "Succeeded" or "Failed")
        {
            return;
        }

        if (Home(pod) is { } home)
        {
            _assumed.Remove(key);
        }
        else if (_assumed.TryGetValue(key, out var assumed))
        {
            home = assumed;
        }
        else
        {
            return;
        }

        var requests = PodRequests.Of(pod);
        _counted[key] = (home, requests);
        _usage.Count(home, requests, JobUid(pod) is not null, 1);
    }

    private void Uncount(ResourceKey key, V1Pod pod)
    {
        if (_counted.Remove(key, out var counted))
        {
            _usage.Count(counted.Node, counted.Requests, JobUid(pod) is not null, -1);
        }
    }

    /// <summary>The node that a pod is bound to, or pinned to on its way there.</summary>
    private static string? Home(V1Pod pod) => string.IsNullOrEmpty(pod.Spec.NodeName) ? GangPin.NodeOf(pod) : pod.Spec.NodeName;

    private static string? JobUid(V1Pod pod) => pod.Metadata.Labels is { } labels && labels.TryGetValue(PhiNames.JobUidLabel, out var uid) ? uid : null;

    private static ulong Version(V1Pod pod) => ClusterCache.Version(pod.Metadata.ResourceVersion);

    private static ResourceKey KeyOf(V1Pod pod) => new(pod.Metadata.NamespaceProperty, pod.Metadata.Name);
}
