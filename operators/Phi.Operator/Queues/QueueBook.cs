using System.Collections.Immutable;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.Observe;
using Phi.Reconcile.Queues;
using Phi.Reconcile.Snapshots;

namespace Phi.Operator.Queues;

/// <summary>
/// Waiting and admitted jobs, kept up with each change of a job. A job holds quota when its status says so, or from a grant until the
/// status says so: what a restart finds in the statuses is the truth.
/// </summary>
internal sealed class QueueBook
{
    private static readonly TimeSpan DefaultDeadline = TimeSpan.FromSeconds(60);
    private readonly Lock _lock = new();
    private readonly Dictionary<ResourceKey, QueueEntry> _entries = [];
    private readonly Dictionary<string, QueueEntry> _byUid = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PendingList> _pending = new(StringComparer.Ordinal);
    private readonly HashSet<QueueEntry> _admitted = [];
    private readonly HashSet<QueueEntry> _delayed = [];
    private readonly HashSet<QueueEntry> _unpublished = [];
    private IReadOnlyDictionary<string, int> _priorities = ImmutableDictionary<string, int>.Empty;

    /// <summary>Takes in a job as it is now (null: it is gone). True: a decision may change.</summary>
    public bool Observe(ResourceKey key, TrainingJob? job)
    {
        lock (_lock)
        {
            var entry = _entries.GetValueOrDefault(key);
            if (entry is not null && job is not null && ClusterCache.Version(job.Metadata.ResourceVersion) < ClusterCache.Version(entry.Source.Metadata.ResourceVersion))
            {
                // A late word: what the job holds by now is known.
                return false;
            }

            if (entry is not null && (job is null || entry.Job.Uid != job.Metadata.Uid))
            {
                Remove(entry);
                Put(key, null, job);
                return true;
            }

            var isKnown = entry is not null && entry.Source.Metadata.ResourceVersion == job!.Metadata.ResourceVersion;
            return !isKnown && Put(key, entry, job);
        }
    }

    /// <summary>Forgets what was granted and asked back: the statuses alone count.</summary>
    public void Restart()
    {
        lock (_lock)
        {
            var sources = _entries.Values.Select(entry => (entry.Key, entry.Source)).ToList();
            _entries.Clear();
            _byUid.Clear();
            _pending.Clear();
            _admitted.Clear();
            _delayed.Clear();
            _unpublished.Clear();
            foreach (var (key, source) in sources)
            {
                Put(key, null, source);
            }
        }
    }

    /// <summary>Values of the priority classes by name; every job's priority follows.</summary>
    public void SetPriorities(IReadOnlyDictionary<string, int> priorities)
    {
        lock (_lock)
        {
            _priorities = priorities;
            foreach (var entry in _entries.Values.ToList())
            {
                Put(entry.Key, entry, entry.Source);
            }
        }
    }

    /// <summary>Decides, and tells those whom it concerns by <paramref name="wake"/>: urgently if quota changes hands.</summary>
    public QueueDecision Decide(ImmutableArray<QueuePolicy> queues, DateTimeOffset now, WakeJob wake)
    {
        lock (_lock)
        {
            var decision = QueueReconciler.Decide(new QueueSnapshot
            {
                Queues = queues,
                Pending = _pending.ToDictionary(entry => entry.Key, entry => entry.Value.Jobs, StringComparer.Ordinal),
                Delayed = [.. _delayed.Select(entry => entry.Job)],
                Admitted = [.. _admitted.Select(entry => entry.Admitted!)],
                Now = now,
            });
            foreach (var grant in decision.Grants)
            {
                var entry = _byUid[grant.Job.Uid];
                SetPending(entry, false);
                SetAdmitted(entry, new AdmittedJob { Job = grant.Job, Replicas = grant.Replicas, AdmittedAt = now });
                Publish(entry, new QueueAdmission(AdmissionState.Granted, grant.Replicas, "QuotaReserved", grant.Message), wake);
            }

            foreach (var eviction in decision.Evictions)
            {
                var entry = _byUid[eviction.Victim.Job.Uid];
                SetAdmitted(entry, entry.Admitted! with { IsEvicting = true, EvictedFor = eviction.For.Uid });
                Publish(entry, new QueueAdmission(AdmissionState.Evicting, entry.Admitted.Replicas, "Preempted", eviction.Message, eviction.Deadline, eviction.Reason), wake);
            }

            foreach (var entry in _unpublished.ToList())
            {
                var verdict = decision.Explain(entry.Job)!;
                Publish(entry, new QueueAdmission(AdmissionState.Waiting, 0, verdict.Reason, verdict.Message), wake);
            }

            return decision;
        }
    }

    /// <summary>Brings the words of jobs that go on waiting up to date.</summary>
    public void Refresh(IEnumerable<QueueVerdict> verdicts, WakeJob wake)
    {
        lock (_lock)
        {
            foreach (var verdict in verdicts)
            {
                if (_byUid.TryGetValue(verdict.Job.Uid, out var entry) && entry.IsPending && entry.Published is { State: AdmissionState.Waiting } said && (said.Reason, said.Message) != (verdict.Reason, verdict.Message))
                {
                    Publish(entry, said with { Reason = verdict.Reason, Message = verdict.Message }, wake);
                }
            }
        }
    }

    public QueueAdmission? Admission(TrainingJob job)
    {
        lock (_lock)
        {
            return job.Metadata.Uid is { } uid && _byUid.TryGetValue(uid, out var entry) ? entry.Published : null;
        }
    }

    private bool Put(ResourceKey key, QueueEntry? entry, TrainingJob? job)
    {
        if (job is null || InitializeSource.IsAwaited(job) || QueueReader.Job(job, _priorities) is not { } queued)
        {
            return entry is not null && Remove(entry);
        }

        var isNew = entry is null;
        if (entry is null)
        {
            entry = new QueueEntry(key) { Source = job, Job = queued };
            _entries[key] = _byUid[queued.Uid] = entry;
        }

        var held = QueueReader.Admitted(job, queued);
        if (!isNew && entry.IsPending && held is null && job.Spec.Suspend != true && entry.Job == queued)
        {
            entry.Source = job;
            return false;
        }

        var (oldJob, oldPending, oldHeld) = (entry.Job, entry.IsPending, entry.Admitted?.Replicas);
        SetPending(entry, false);
        (entry.Source, entry.Job) = (job, queued);
        Hold(entry, held, job.Spec.Suspend == true);
        SetPending(entry, entry.Admitted is null && job.Spec.Suspend != true);
        return isNew || oldJob != queued || oldPending != entry.IsPending || oldHeld != entry.Admitted?.Replicas;
    }

    private void Hold(QueueEntry entry, AdmittedJob? held, bool isSuspended)
    {
        if (held is not null)
        {
            var evicted = QueueReader.Condition(entry.Source, TrainingConditions.Evicted);
            entry.Published ??= held.IsEvicting
                ? new QueueAdmission(AdmissionState.Evicting, held.Replicas, evicted!.Reason, evicted.Message, (evicted.LastTransitionTime ?? held.AdmittedAt) + DefaultDeadline, QueueReader.Condition(entry.Source, TrainingConditions.Preempted)?.Reason)
                : new QueueAdmission(AdmissionState.Granted, held.Replicas, "QuotaReserved", QueueReader.Condition(entry.Source, TrainingConditions.QuotaReserved)!.Message);
            if (entry.Published.State == AdmissionState.Waiting)
            {
                entry.Published = new QueueAdmission(AdmissionState.Granted, held.Replicas, "QuotaReserved", QueueReader.Condition(entry.Source, TrainingConditions.QuotaReserved)!.Message);
            }

            // An eviction that was decided is not undone by a status that does not have it yet.
            // Nor does a gang that is smaller for lack of nodes give any back: it may grow to what it was granted.
            SetAdmitted(entry, held with { Replicas = Math.Max(held.Replicas, entry.Published.Replicas), IsEvicting = entry.Published.State == AdmissionState.Evicting, EvictedFor = entry.Admitted?.EvictedFor });
            entry.IsConfirmed = true;
        }
        else if (entry.IsConfirmed || isSuspended)
        {
            SetAdmitted(entry, null);
            (entry.IsConfirmed, entry.Published) = (false, null);
        }
        else if (entry.Admitted is { } granted)
        {
            SetAdmitted(entry, granted with { Job = entry.Job });
        }
    }

    private void SetAdmitted(QueueEntry entry, AdmittedJob? admitted)
    {
        entry.Admitted = admitted;
        _ = admitted is null ? _admitted.Remove(entry) : _admitted.Add(entry);
    }

    private void SetPending(QueueEntry entry, bool isPending)
    {
        if (entry.IsPending == isPending)
        {
            return;
        }

        entry.IsPending = isPending;
        if (!isPending)
        {
            _unpublished.Remove(entry);
            _delayed.Remove(entry);
            var list = _pending[entry.Job.Queue];
            list.Remove(entry.Job);
            if (list.Count == 0)
            {
                _pending.Remove(entry.Job.Queue);
            }

            return;
        }

        (_pending.TryGetValue(entry.Job.Queue, out var pending) ? pending : _pending[entry.Job.Queue] = new PendingList()).Add(entry.Job);
        if (entry.Job.NotBefore is not null)
        {
            _delayed.Add(entry);
        }

        // What its status says already needs no second saying, after a restart least of all.
        if (entry.Published is null && entry.Source.Status?.Phase == TrainingPhase.Pending && QueueReader.Condition(entry.Source, TrainingConditions.QuotaReserved) is { Status: "False" } said)
        {
            entry.Published = new QueueAdmission(AdmissionState.Waiting, 0, said.Reason, said.Message);
        }

        if (entry.Published is null)
        {
            _unpublished.Add(entry);
        }
    }

    private void Publish(QueueEntry entry, QueueAdmission admission, WakeJob wake)
    {
        entry.Published = admission;
        _unpublished.Remove(entry);
        wake(entry.Key, admission.State != AdmissionState.Waiting);
    }

    private bool Remove(QueueEntry entry)
    {
        SetPending(entry, false);
        SetAdmitted(entry, null);
        _entries.Remove(entry.Key);
        return _byUid.Remove(entry.Job.Uid);
    }
}
