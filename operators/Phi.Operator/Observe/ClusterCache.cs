using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Snapshots;

namespace Phi.Operator.Observe;

/// <summary>Jobs, pods and nodes as the informers have them, with the operator's own newest status on top.</summary>
/// <param name="scope">Namespaces whose jobs are this operator's; null: all. Pods of others take room on nodes, and are seen wherever they are.</param>
/// <param name="trainerImage">Of jobs that name none.</param>
internal sealed class ClusterCache(KubernetesConnection connection, TimeProvider time, ILoggerFactory logs, NamespaceScope? scope = null, string trainerImage = OperatorOptions.DefaultTrainerImage)
{
    private readonly ScopedInformer<TrainingJob> _jobs = new(scope ?? NamespaceScope.Everywhere, connection.TrainingJobs(), null, time, logs.CreateLogger("Phi.Operator.Jobs"), FinishedJob.Keep);
    private readonly Informer<V1Pod> _pods = new(connection.Pods(), null, null, time, logs.CreateLogger("Phi.Operator.Pods"));
    private readonly Informer<V1Node> _nodes = new(connection.Nodes(), null, null, time, logs.CreateLogger("Phi.Operator.Nodes"));
    private readonly ConcurrentDictionary<ResourceKey, TrainingJob> _written = new();
    private readonly PodIndex _podIndex = new(time);
    private readonly NodeIndex _nodeIndex = new();
    private readonly WaitingLine _line = new();
    private readonly JobReader _reader = new(trainerImage);
    private readonly ConcurrentDictionary<string, PlacementRefusal> _refusals = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _creationRefusals = new(StringComparer.Ordinal);

    /// <summary>Waiting jobs that hear of room at once; those behind them look again by themselves.</summary>
    private const int Woken = 64;

    /// <summary>Gangs of the line that are looked at to find the one that room is kept for.</summary>
    private const int Heads = 16;

    public IReadOnlyList<IInformer> Informers => [_jobs, _pods, _nodes];

    public Task Synced => Task.WhenAll(Informers.Select(informer => informer.Synced));

    public IReadOnlyCollection<TrainingJob> Jobs => _jobs.All;

    /// <summary>Follows until cancelled; hears of every job that a change may concern, and of pods that are gone.</summary>
    public Task RunAsync(Action<ResourceKey> onJob, Action<V1Pod> onPodGone, CancellationToken ct) => Task.WhenAll(
        _jobs.RunAsync((key, _, now) => OnJob(key, now, onJob), ct),
        _pods.RunAsync((_, old, now) => OnPod(old, now, onJob, onPodGone), ct),
        _nodes.RunAsync((key, old, now) =>
        {
            OnNode(key.Name, now, onJob);
            OnHealth(old, now, onJob);
        }, ct));

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

    /// <summary>A finished job as the API server has it, if anything may still have to be done about it; else null.</summary>
    public async Task<TrainingJob?> ReadFinishedAsync(TrainingJob job, CancellationToken ct)
    {
        if (job.Metadata.DeletionTimestamp is null && job.Spec.TtlSecondsAfterFinished is null && PodsOf(job).Count == 0)
        {
            return null;
        }

        var whole = await connection.TrainingJobs().GetAsync(job.Metadata.Namespace!, job.Metadata.Name!, ct);
        return whole?.Metadata.Uid == job.Metadata.Uid ? whole : null;
    }

    /// <summary>A job as it takes effect, and what is wrong with it.</summary>
    public (TrainingJob Job, ImmutableArray<ValidationError> Errors) Read(TrainingJob job) => _reader.Read(job);

    /// <summary>What the operator has written is what it sees, even before the informer does.</summary>
    public void Remember(ResourceKey key, TrainingJob written)
    {
        _written[key] = FinishedJob.Keep(written);
        Enqueue(key, written);
    }

    /// <summary>A job as a list has it, which may be ahead of the informer.</summary>
    public void CatchUp(ResourceKey key, TrainingJob listed)
    {
        if (Job(key) is { } known && Version(known.Metadata.ResourceVersion) < Version(listed.Metadata.ResourceVersion))
        {
            Remember(key, listed);
        }
    }

    /// <summary>The same for a pod that the operator created or changed.</summary>
    public void Remember(V1Pod written) => _podIndex.Write(written);

    /// <summary>And for one that the operator deleted.</summary>
    public void RememberDeletion(ResourceKey key, string uid, long? gracePeriodSeconds) => _podIndex.Leave(key, uid, gracePeriodSeconds);

    public IReadOnlyList<V1Pod> PodsOf(TrainingJob job) => PodsOf(job.Metadata.Uid!);

    public IReadOnlyList<V1Pod> PodsOf(string jobUid) => _podIndex.Of(jobUid);

    /// <summary>Any pod, of a job or not.</summary>
    public V1Pod? Pod(string @namespace, string name) => _podIndex.Get(new ResourceKey(@namespace, name));

    public ImmutableArray<string> AcceleratorTypes => _nodeIndex.Types;

    /// <summary>Nodes as the job's pods see them, with what is free there: those of its accelerator type, or those that its pods are on.</summary>
    /// <param name="job">With every default.</param>
    public ImmutableArray<NodeSnapshot> Nodes(TrainingJob job, IReadOnlyList<V1Pod> pods, bool isPlacing)
    {
        var type = job.Spec.Accelerator!.Type!;
        var shape = (pods.FirstOrDefault(pod => pod.Spec.SchedulingGates is { Count: > 0 }) ?? (pods.Count > 0 ? pods[0] : null)) is { } pod
            ? PodShape.Of(pod) : PodShape.Of(job.Spec, NodeReader.ResourceOf(type));
        var nodes = isPlacing || job.Spec.Recovery!.Stragglers!.Action == "ExcludeNode" ? _nodeIndex.OfType(type) : pods.Select(pod => pod.Spec.NodeName).Where(name => !string.IsNullOrEmpty(name)).Distinct(StringComparer.Ordinal).Select(_nodeIndex.Get).OfType<NodeFacts>();
        return _podIndex.Read(usage => nodes.Select(node => NodeReader.Read(node, shape, usage)).ToImmutableArray());
    }

    /// <summary>Jobs without a queue that are before this one in the line for its accelerator type, the first ones.</summary>
    /// <param name="job">With every default.</param>
    public IEnumerable<TrainingJob> Before(TrainingJob job) =>
        _line.Before(job.Spec.Accelerator!.Type!, new ResourceKey(job.Metadata.Namespace!, job.Metadata.Name!), Heads).Select(Job).OfType<TrainingJob>();

    /// <summary>Counts what a decision has placed before it is written, so that the next decision does not give the same room away.</summary>
    public void Assume(TrainingJob job, IEnumerable<Placement> placements)
    {
        foreach (var placement in placements)
        {
            _podIndex.Assume(new ResourceKey(job.Metadata.Namespace!, placement.Pod), placement.Uid, placement.Node);
        }
    }

    public void ForgetAssumed(TrainingJob job) => _podIndex.ForgetAssumed(job.Metadata.Uid!);

    public V1Pod? Pod(TrainingJob job, string uid) => PodsOf(job).FirstOrDefault(pod => pod.Metadata.Uid == uid);

    public void Refuse(TrainingJob job, PlacementRefusal refusal) => _refusals[job.Metadata.Uid!] = refusal;

    /// <summary>The refusal since the last call. One that is not acted on comes again with the next try.</summary>
    public PlacementRefusal? TakeRefusal(TrainingJob job) => _refusals.TryRemove(job.Metadata.Uid!, out var refusal) ? refusal : null;

    /// <summary>The API server took no pod of the job, or nothing that its pods need, with these words.</summary>
    public void RefuseCreation(TrainingJob job, string message) => _creationRefusals[job.Metadata.Uid!] = message;

    /// <summary>The same, of a refused creation.</summary>
    public string? TakeCreationRefusal(TrainingJob job) => _creationRefusals.TryRemove(job.Metadata.Uid!, out var message) ? message : null;

    private void OnJob(ResourceKey key, TrainingJob? now, Action<ResourceKey> onJob)
    {
        _reader.Observe(key, now);
        if (now is null || (_written.TryGetValue(key, out var written) && Version(now.Metadata.ResourceVersion) >= Version(written.Metadata.ResourceVersion)))
        {
            _written.TryRemove(key, out _);
        }

        Enqueue(key, Job(key));
        onJob(key);
    }

    private void Enqueue(ResourceKey key, TrainingJob? job)
    {
        var isOurs = job?.Spec.ManagedBy is null or "" or PhiNames.Manager;
        _line.Change(key, isOurs ? job : null, job is null ? 0 : _podIndex.PriorityOf(job.Metadata.Uid!), job?.Spec.Queue is not null || job?.Metadata.Labels?.ContainsKey(PhiNames.KueueQueueLabel) == true);
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

        if (pod.Metadata.Labels is { } labels && labels.TryGetValue(PhiNames.JobNameLabel, out var name))
        {
            var key = new ResourceKey(pod.Metadata.NamespaceProperty, name);
            if (old is null && pod.Spec.Priority is not null)
            {
                // Only its pods tell the priority of a job.
                Enqueue(key, Job(key));
            }

            onJob(key);
        }

        // Room that became free may be what another job waits for.
        if ((now is null || now.Status?.Phase is "Succeeded" or "Failed") && _nodeIndex.Get(pod.Spec.NodeName ?? "") is { } node)
        {
            Wake(node.AcceleratorType, onJob);
        }
    }

    private void OnNode(string name, V1Node? now, Action<ResourceKey> onJob)
    {
        foreach (var type in _nodeIndex.Change(name, now))
        {
            Wake(type, onJob);
        }
    }

    /// <summary>A machine that goes down, or is about to, concerns the jobs that run there.</summary>
    private void OnHealth(V1Node? old, V1Node? now, Action<ResourceKey> onJob)
    {
        if (old is null || NodeHealthReader.IsSame(old, now))
        {
            return;
        }

        foreach (var job in _jobs.All.Where(job => job.Status?.Placement?.Exists(placement => placement.Node == old.Metadata.Name) == true))
        {
            onJob(new ResourceKey(job.Metadata.Namespace ?? "", job.Metadata.Name!));
        }
    }

    private void Wake(string type, Action<ResourceKey> onJob)
    {
        foreach (var key in _line.First(type, Woken))
        {
            onJob(key);
        }
    }

    internal static ulong Version(string? resourceVersion) => ulong.TryParse(resourceVersion, CultureInfo.InvariantCulture, out var version) ? version : 0;
}
