using CsCheck;
using Phi.Reconcile.Queues;
using Xunit;

namespace Phi.Reconcile.Tests.Queues;

/// <summary>What holds whatever the queues and jobs are.</summary>
public sealed class QueuePropertyTests
{
    private const long Samples = 2_000;

    [Fact]
    public void Decide_AfterExecuting_DoesNothingMore() => Snapshots.Any().Sample(snapshot =>
    {
        var first = QueueReconciler.Decide(snapshot);

        var second = QueueReconciler.Decide(snapshot.After(first));

        Assert.Empty(second.Grants);
        Assert.Empty(second.Evictions);
    }, iter: Samples, print: Print);

    [Fact]
    public void Decide_Grants_AreWholeGangsWithinEveryLimit() => Snapshots.Any().Sample(snapshot =>
    {
        var decision = QueueReconciler.Decide(snapshot);
        Assert.All(decision.Grants, grant => Assert.InRange(grant.Replicas, grant.Job.MinReplicas, grant.Job.Replicas));
        Assert.Equal(decision.Grants.Length, decision.Grants.Select(grant => grant.Job.Uid).Distinct().Count());
        foreach (var group in decision.Grants.GroupBy(grant => (grant.Job.Queue, grant.Job.AcceleratorType)))
        {
            var policy = snapshot.Queues.Single(queue => queue.Name == group.Key.Queue);
            var quota = policy.Quotas.Single(one => one.AcceleratorType == group.Key.AcceleratorType);
            var usage = decision.Usage.Single(one => (one.Queue, one.AcceleratorType) == group.Key);
            Assert.True(policy.Cohort is null ? usage.Used <= quota.Nominal : quota.BorrowingLimit is not { } limit || usage.Used <= quota.Nominal + (long)limit);
            if (policy.Cohort is { } cohort)
            {
                Assert.True(IsCohortWithinItsTotal(snapshot, decision, cohort, group.Key.AcceleratorType));
            }
        }
    }, iter: Samples);

    /// <summary>What queues have beyond the part that is theirs alone comes from what the cohort shares, and no more than that.</summary>
    private static bool IsCohortWithinItsTotal(QueueSnapshot snapshot, QueueDecision decision, string cohort, string type)
    {
        var quotas = snapshot.Queues.Where(queue => queue.Cohort == cohort).SelectMany(queue => queue.Quotas.Where(quota => quota.AcceleratorType == type).Select(quota => (queue.Name, Quota: quota))).ToDictionary(one => one.Name, one => one.Quota);
        long Own(string queue) => quotas.TryGetValue(queue, out var quota) && quota.LendingLimit is { } lend ? Math.Max(0, quota.Nominal - lend) : 0;
        var shared = quotas.Sum(one => one.Value.Nominal - Own(one.Key));

        // A snapshot may begin beyond the limits, as when a quota was lowered: then it must not get worse.
        var before = decision.Usage.Where(one => one.Cohort == cohort && one.AcceleratorType == type)
            .Sum(one => Math.Max(0, snapshot.Admitted.Where(job => job.Job.Queue == one.Queue && job.Job.AcceleratorType == type).Sum(job => job.Units) - Own(one.Queue)));
        return decision.Usage.Where(one => one.Cohort == cohort && one.AcceleratorType == type).Sum(one => Math.Max(0, one.Used - Own(one.Queue))) <= Math.Max(shared, before);
    }

    [Fact]
    public void Decide_JobThatWaits_HasAReasonAndAPosition() => Snapshots.Any().Sample(snapshot =>
    {
        var decision = QueueReconciler.Decide(snapshot);
        foreach (var (queue, jobs) in snapshot.Pending)
        {
            var verdicts = decision.Waiting(queue).ToList();
            Assert.Equal(jobs.Length - decision.Grants.Count(grant => grant.Job.Queue == queue), verdicts.Count);
            Assert.Equal(Enumerable.Range(1, verdicts.Count), verdicts.Select(verdict => verdict.Position));
            Assert.All(verdicts, verdict => Assert.False(verdict.Reason.Length == 0 || verdict.Message.Length == 0 || verdict.WaitsFor.Length == 0));
            Assert.All(verdicts, verdict => Assert.Equal(verdict, decision.Explain(verdict.Job)));
        }
    });

    [Fact]
    public void Decide_Victims_HaveLowerPriorityOrBorrow() => Snapshots.Any().Sample(snapshot =>
    {
        var decision = QueueReconciler.Decide(snapshot);
        var policies = snapshot.Queues.ToDictionary(queue => queue.Name);
        var before = snapshot.Admitted.Where(job => !job.IsEvicting).GroupBy(job => (job.Job.Queue, job.Job.AcceleratorType)).ToDictionary(group => group.Key, group => group.Sum(job => job.Units));
        foreach (var eviction in decision.Evictions)
        {
            var (victim, preemptor) = (eviction.Victim, eviction.For);
            Assert.False(victim.IsEvicting);
            if (victim.Job.Queue == preemptor.Queue)
            {
                Assert.True(victim.Job.Priority < preemptor.Priority && policies[preemptor.Queue].PreemptsLowerPriority);
                continue;
            }

            var nominal = policies[victim.Job.Queue].Quotas.FirstOrDefault(quota => quota.AcceleratorType == victim.Job.AcceleratorType)?.Nominal ?? 0;
            Assert.True(policies[preemptor.Queue].Reclaim == ReclaimPolicy.Any || (policies[preemptor.Queue].Reclaim == ReclaimPolicy.LowerPriority && victim.Job.Priority < preemptor.Priority));

            // Grants of this decision count too: a queue may have come to borrow only now.
            var granted = decision.Grants.Where(grant => grant.Job.Queue == victim.Job.Queue && grant.Job.AcceleratorType == victim.Job.AcceleratorType).Sum(grant => (long)grant.Replicas * grant.Job.PerReplica);
            Assert.True(before[(victim.Job.Queue, victim.Job.AcceleratorType)] + granted > nominal);
        }
    }, iter: Samples);

    /// <summary>Where one job preempts, alone: it is admitted once its victims are gone, and would not be if any of them stayed.</summary>
    [Fact]
    public void Decide_Victims_SufficeAndAreAllNeeded() => Snapshots.Any().Sample(snapshot =>
    {
        var alone = snapshot.AllPending().Take(1).Select(job => job with { NotBefore = null }).ToList();
        var calm = QueueSnapshot.Create(snapshot.Queues, alone, snapshot.Admitted.Select(job => job with { IsEvicting = false }), snapshot.Now);
        var evictions = QueueReconciler.Decide(calm).Evictions;
        if (evictions.IsEmpty)
        {
            return;
        }

        var victims = evictions.Select(eviction => eviction.Victim.Job.Uid).ToHashSet();
        Assert.Single(QueueReconciler.Decide(Without(victims)).Grants);
        foreach (var spared in victims)
        {
            // Fewer do not suffice, or would make it a borrower that takes what others borrow without having priority over them.
            var next = QueueReconciler.Decide(Without([.. victims.Where(uid => uid != spared)]));
            Assert.True(next.Grants.IsEmpty || next.Usage.Any(usage => usage.Queue == alone[0].Queue && usage.Borrowed > 0));
        }

        QueueSnapshot Without(HashSet<string> gone) => QueueSnapshot.Create(calm.Queues, alone, calm.Admitted.Where(job => !gone.Contains(job.Job.Uid)), calm.Now);
    }, iter: Samples);

    /// <summary>The first job of a strict queue starts as soon as what ran when it came has ended, whatever small jobs keep coming behind it.</summary>
    [Fact]
    public void Decide_SmallJobsKeepComing_DoNotStarveTheHead() => Gen.Select(Gen.Int[4, 10], Gen.Int[0, 6], Gen.Int[1, 3].Array[1, 8], Gen.Bool).Sample((nominal, other, running, borrows) =>
    {
        var queues = new[] { Snapshots.Queue("a", nominal, "c"), Snapshots.Queue("b", other, "c") };
        var head = Snapshots.Job("head", "a", borrows ? nominal + other : nominal, priority: 0, minute: 0);
        var snapshot = Snapshots.Of(queues, running.Select((units, i) => Snapshots.Job($"r{i}", i % 2 == 0 ? "a" : "b", units)));
        snapshot = snapshot.After(QueueReconciler.Decide(snapshot));
        var old = snapshot.Admitted.Select(job => job.Job.Uid).ToList();
        snapshot = QueueSnapshot.Create(queues, [head], snapshot.Admitted, snapshot.Now);
        for (var round = 0; ; round++)
        {
            // Small ones behind it, in its own queue and, where they borrow, in the other: they run on for ever.
            QueuedJob[] small = [Snapshots.Job($"s{round}", "a", 1, minute: 5 + round), Snapshots.Job($"t{round}", "b", 1, minute: 5 + round)];
            snapshot = QueueSnapshot.Create(queues, [.. snapshot.AllPending(), .. small], snapshot.Admitted, snapshot.Now);
            var decision = QueueReconciler.Decide(snapshot);
            snapshot = snapshot.After(decision);
            if (old.Count == 0)
            {
                // Queue b's own quota is its own: what it uses of it, nobody can wait for.
                var owned = snapshot.Admitted.Where(job => job.Job.Queue == "b").Sum(job => job.Units);
                Assert.True(snapshot.Admitted.Any(job => job.Job.Uid == "head") || (borrows && owned > 0 && owned <= other));
                return;
            }

            snapshot = QueueSnapshot.Create(queues, snapshot.AllPending(), snapshot.Admitted.Where(job => job.Job.Uid != old[0]), snapshot.Now);
            old.RemoveAt(0);
        }
    });

    /// <summary>Evictions, and what is granted in their stead, never go in a circle.</summary>
    [Fact]
    public void Decide_UntilNothingChanges_ComesToRest() => Snapshots.Any().Sample(snapshot =>
    {
        for (var round = 0; round < 200; round++)
        {
            var decision = QueueReconciler.Decide(snapshot);
            if (decision.Grants.IsEmpty && decision.Evictions.IsEmpty && !snapshot.Admitted.Any(job => job.IsEvicting))
            {
                return;
            }

            snapshot = snapshot.After(decision).Evicted();
        }

        Assert.Fail("200 rounds of evictions and grants did not come to rest");
    }, iter: Samples, print: Print);

    private static string Print(QueueSnapshot snapshot) => string.Join('\n', [
        .. snapshot.Queues.Select(queue => $"{queue.Name} {queue.Cohort} {queue.Order} within {queue.PreemptsLowerPriority} reclaim {queue.Reclaim}: {string.Join("; ", queue.Quotas)}"),
        .. snapshot.AllPending().Select(job => $"pending {Line(job)}"),
        .. snapshot.Admitted.Select(job => $"runs {Line(job.Job)} with {job.Replicas} since {job.AdmittedAt:HH:mm} saved {job.CheckpointAt:HH:mm}{(job.IsEvicting ? " evicting" : "")}")]);

    private static string Line(QueuedJob job) => $"{job.Uid} {job.Queue} {job.AcceleratorType} {job.MinReplicas}..{job.Replicas} x {job.PerReplica} priority {job.Priority} since {job.QueuedSince:HH:mm}";
}
