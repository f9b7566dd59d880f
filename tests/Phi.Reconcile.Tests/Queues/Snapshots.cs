using System.Collections.Immutable;
using CsCheck;
using Phi.Reconcile.Queues;

namespace Phi.Reconcile.Tests.Queues;

/// <summary>Jobs, queues and snapshots of them; what the cluster is after a decision.</summary>
internal static class Snapshots
{
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static QueuePolicy Queue(string name, int nominal, string? cohort = null, int? borrow = null, int? lend = null, ReclaimPolicy reclaim = ReclaimPolicy.Never, QueueOrder order = QueueOrder.StrictFifo, bool within = true) =>
        new() { Name = name, Cohort = cohort, Order = order, PreemptsLowerPriority = within, Reclaim = reclaim, Quotas = [new TypeQuota("cpu", nominal, borrow, lend)] };

    /// <summary>One pod for each accelerator.</summary>
    public static QueuedJob Job(string name, string queue, int units, int priority = 0, int minute = 0, int? least = null, string type = "cpu") => new()
    {
        Key = $"default/{name}",
        Uid = name,
        Queue = queue,
        AcceleratorType = type,
        PerReplica = 1,
        Replicas = units,
        MinReplicas = least ?? units,
        Priority = priority,
        QueuedSince = Start.AddMinutes(minute),
    };

    public static AdmittedJob Running(QueuedJob job, int minute = 0, int? savedAt = null) =>
        new() { Job = job, Replicas = job.Replicas, AdmittedAt = Start.AddMinutes(minute), CheckpointAt = savedAt is { } at ? Start.AddMinutes(at) : null };

    public static QueueSnapshot Of(IEnumerable<QueuePolicy> queues, IEnumerable<QueuedJob> pending, params AdmittedJob[] admitted) => QueueSnapshot.Create(queues, pending, admitted, Start.AddHours(1));

    public static IEnumerable<QueuedJob> AllPending(this QueueSnapshot snapshot) => snapshot.Pending.Values.SelectMany(jobs => jobs);

    /// <summary>Grants are given and victims asked to leave.</summary>
    public static QueueSnapshot After(this QueueSnapshot snapshot, QueueDecision decision)
    {
        var granted = decision.Grants.Select(grant => grant.Job.Uid).ToHashSet();
        var evicted = decision.Evictions.ToDictionary(eviction => eviction.Victim.Job.Uid, eviction => eviction.For.Uid);
        return QueueSnapshot.Create(
            snapshot.Queues,
            snapshot.AllPending().Where(job => !granted.Contains(job.Uid)),
            [
                .. snapshot.Admitted.Select(job => evicted.TryGetValue(job.Job.Uid, out var by) ? job with { IsEvicting = true, EvictedFor = by } : job),
                .. decision.Grants.Select(grant => new AdmittedJob { Job = grant.Job, Replicas = grant.Replicas, AdmittedAt = snapshot.Now }),
            ],
            snapshot.Now);
    }

    /// <summary>Every eviction under way is over: the victims wait again.</summary>
    public static QueueSnapshot Evicted(this QueueSnapshot snapshot) => QueueSnapshot.Create(
        snapshot.Queues, [.. snapshot.AllPending(), .. snapshot.Admitted.Where(job => job.IsEvicting).Select(job => job.Job)], snapshot.Admitted.Where(job => !job.IsEvicting), snapshot.Now);

    /// <summary>Up to five queues in up to two cohorts, with jobs that were admitted by decisions before or just run there.</summary>
    public static Gen<QueueSnapshot> Any()
    {
        var limit = Gen.Int[-3, 6].Select(value => value < 0 ? (int?)null : value);
        var queue = Gen.Select(Gen.Int[0, 8], Gen.Int[0, 2], limit, limit, Gen.Enum<ReclaimPolicy>(), Gen.Bool, Gen.Bool, Gen.Bool).Select((nominal, cohort, borrow, lend, reclaim, strict, within, two) =>
            Queue("", nominal, cohort == 0 ? null : $"c{cohort}", borrow, lend, reclaim, strict ? QueueOrder.StrictFifo : QueueOrder.BestEffortFifo, within) with
            {
                Quotas = two ? [new TypeQuota("cpu", nominal, borrow, lend), new TypeQuota("gpu", 4, lend, borrow)] : [new TypeQuota("cpu", nominal, borrow, lend)],
            });
        var job = Gen.Select(Gen.Int[0, 5], Gen.Int[1, 6], Gen.Int[1, 2], Gen.Int[0, 3], Gen.Int[0, 50], Gen.Int[0, 6], Gen.Int[0, 4]).Select((at, replicas, per, priority, minute, least, kind) =>
            Job("", $"q{at}", replicas, priority, minute, Math.Clamp(least, 1, replicas), kind == 0 ? "gpu" : "cpu") with { PerReplica = per, NotBefore = kind == 1 && minute == 7 ? Start.AddHours(2) : null });
        var running = Gen.Select(job, Gen.Int[0, 50], Gen.Int[-20, 55], Gen.Int[0, 5]).Select((one, minute, saved, kind) => Running(one, minute, saved < 0 ? null : saved) with { IsEvicting = kind == 0 });
        return Gen.Select(queue.Array[1, 5], job.Array[0, 14], running.Array[0, 10]).Select((queues, pending, admitted) => Of(
            queues.Select((one, i) => one with { Name = $"q{i}" }),
            pending.Select((one, i) => one with { Key = $"default/p{i}", Uid = $"p{i}" }),
            [.. admitted.Select((one, i) => one with { Job = one.Job with { Key = $"default/a{i}", Uid = $"a{i}" } })]));
    }
}
