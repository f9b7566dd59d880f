using Phi.Reconcile.Queues;
using Xunit;
using static Phi.Reconcile.Tests.Queues.Snapshots;

namespace Phi.Reconcile.Tests.Queues;

/// <summary>Each policy by an example, with its words.</summary>
public sealed class QueueReconcilerTests
{
    [Fact]
    public void Decide_RoomForAll_GrantsInOrderOfPriorityThenTime()
    {
        var decision = QueueReconciler.Decide(Of([Queue("a", 8)], [Job("late", "a", 2, 0, 2), Job("early", "a", 2, 0, 1), Job("high", "a", 2, 5, 3)]));

        Assert.Equal(["high", "early", "late"], decision.Grants.Select(grant => grant.Job.Uid));
        Assert.Equal("2 of 2 pods have 2 cpu accelerators of queue a's quota; the queue uses 2 of 8", decision.Grants[0].Message);
        Assert.Equal(new QueueUsage("a", null, "cpu", 6, 0, 0, 8, 0), Assert.Single(decision.Usage));
    }

    [Fact]
    public void Decide_StrictFifo_KeepsForTheHeadWhatIsFree()
    {
        var decision = QueueReconciler.Decide(Of([Queue("a", 8)], [Job("big", "a", 6, 0, 1), Job("small", "a", 1, 0, 2)], Running(Job("r", "a", 5))));

        var waiting = decision.Waiting("a").ToList();
        Assert.Empty(decision.Grants);
        Assert.Equal(3, decision.Usage[0].Reserved);
        Assert.Equal(("InsufficientQuota", "the job needs 6 cpu accelerators at least and 3 are free for it: 8 nominal, 5 used", "the end of default/r (5)"), (waiting[0].Reason, waiting[0].Message, waiting[0].WaitsFor));
        Assert.Equal((2, "BehindAnother", "default/big is before it and needs 6 cpu accelerators; 3 free ones are kept for it", "default/big"), (waiting[1].Position, waiting[1].Reason, waiting[1].Message, waiting[1].WaitsFor));
    }

    [Fact]
    public void Decide_StrictFifo_LetsOtherTypesGoOn()
    {
        var queue = Queue("a", 2) with { Quotas = [new TypeQuota("cpu", 2), new TypeQuota("gpu", 4)] };

        var decision = QueueReconciler.Decide(Of([queue], [Job("big", "a", 2, 0, 1), Job("gpu", "a", 4, 0, 2, type: "gpu")], Running(Job("r", "a", 1))));

        Assert.Equal("gpu", Assert.Single(decision.Grants).Job.Uid);
    }

    [Fact]
    public void Decide_BestEffortFifo_LetsSmallerJobsPass()
    {
        var decision = QueueReconciler.Decide(Of([Queue("a", 8, order: QueueOrder.BestEffortFifo)], [Job("big", "a", 6, 0, 1), Job("small", "a", 1, 0, 2)], Running(Job("r", "a", 5))));

        Assert.Equal("small", Assert.Single(decision.Grants).Job.Uid);
        Assert.Equal(0, decision.Usage[0].Reserved);
    }

    [Fact]
    public void Decide_ElasticJob_TakesWhatThereIs()
    {
        var decision = QueueReconciler.Decide(Of([Queue("a", 8)], [Job("elastic", "a", 6, least: 2)], Running(Job("r", "a", 5))));

        Assert.Equal(3, Assert.Single(decision.Grants).Replicas);
    }

    [Theory]
    [InlineData(null, null, 4)] // all of b is lent
    [InlineData(2, null, 2)] // a may borrow 2
    [InlineData(null, 3, 3)] // b lends 3
    public void Decide_Cohort_BorrowsWithinTheLimits(int? borrow, int? lend, int borrowed)
    {
        var decision = QueueReconciler.Decide(Of([Queue("a", 4, "c", borrow), Queue("b", 4, "c", null, lend)], Enumerable.Range(0, 9).Select(i => Job($"j{i}", "a", 1))));

        Assert.Equal(4 + borrowed, decision.Grants.Length);
        Assert.Equal([(borrowed, 0L), (0L, borrowed)], decision.Usage.Select(usage => (usage.Borrowed, usage.Lent)));
        Assert.EndsWith(", 1 of them borrowed from cohort c; the queue uses 5 of 4", decision.Grants[4].Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, 4)] // grows up to the nominal quota
    [InlineData(6, 6)] // borrows what it cannot do without
    public void Decide_ElasticJob_BorrowsItsLeastAlone(int least, int granted)
    {
        var decision = QueueReconciler.Decide(Of([Queue("a", 4, "c"), Queue("b", 4, "c")], [Job("elastic", "a", 8, least: least)]));

        Assert.Equal(granted, Assert.Single(decision.Grants).Replicas);
    }

    [Fact]
    public void Decide_HigherPriority_PreemptsTheLeastPriorityThenTheLeastWork()
    {
        var running = new[] { Running(Job("high", "a", 2, 2)), Running(Job("unsaved", "a", 2, 1)), Running(Job("saved", "a", 2, 1), savedAt: 59), Running(Job("low", "a", 2, 0)) };

        var decision = QueueReconciler.Decide(Of([Queue("a", 8)], [Job("urgent", "a", 4, 3)], running));

        Assert.Equal(["low", "saved"], decision.Evictions.Select(eviction => eviction.Victim.Job.Uid));
        Assert.All(decision.Evictions, eviction => Assert.Equal(("InQueue", Start.AddHours(1).AddSeconds(60)), (eviction.Reason, eviction.Deadline)));
        Assert.Equal("default/urgent of priority 3 needs 4 cpu accelerators of queue a; this job of priority 0 gives back its 2", decision.Evictions[0].Message);
        Assert.Equal(("WaitingForEvictions", "the eviction of default/saved (2), default/low (2)"), (decision.Waiting("a").First().Reason, decision.Waiting("a").First().WaitsFor));
    }

    [Fact]
    public void Decide_VictimsMadeSuperfluousByLaterOnes_Stay()
    {
        var decision = QueueReconciler.Decide(Of([Queue("a", 8)], [Job("urgent", "a", 6, 3)], Running(Job("small", "a", 2, 0)), Running(Job("big", "a", 6, 1))));

        Assert.Equal("big", Assert.Single(decision.Evictions).Victim.Job.Uid);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(1, false)]
    public void Decide_EqualOrHigherPriority_IsNeverPreemptedWithinTheQueue(int running, bool within)
    {
        var decision = QueueReconciler.Decide(Of([Queue("a", 4, within: within)], [Job("new", "a", 4, within ? 1 : 9)], Running(Job("r", "a", 4, running))));

        Assert.Empty(decision.Evictions);
    }

    [Theory]
    [InlineData(ReclaimPolicy.Never, 0, 0)]
    [InlineData(ReclaimPolicy.LowerPriority, 0, 0)]
    [InlineData(ReclaimPolicy.LowerPriority, 1, 1)]
    [InlineData(ReclaimPolicy.Any, 0, 1)]
    public void Decide_OwnerOfBorrowedQuota_ReclaimsByItsPolicy(ReclaimPolicy reclaim, int priority, int evicted)
    {
        var decision = QueueReconciler.Decide(Of([Queue("a", 4, "c"), Queue("b", 4, "c", reclaim: reclaim)], [Job("own", "b", 4, priority)], Running(Job("first", "a", 4), 1), Running(Job("second", "a", 4), 2)));

        Assert.Equal(evicted, decision.Evictions.Length);
        if (evicted > 0)
        {
            Assert.Equal(("second", "InCohortReclamation"), (decision.Evictions[0].Victim.Job.Uid, decision.Evictions[0].Reason));
            Assert.Equal($"queue b takes back 4 cpu accelerators for default/own of priority {priority} from cohort c; this job of priority 0 holds 4 in queue a, which borrows", decision.Evictions[0].Message);
        }
    }

    [Theory]
    [InlineData(0, 0)] // would borrow itself: only from those of lower priority
    [InlineData(1, 1)]
    public void Decide_ReclaimerThatWouldBorrow_NeedsPriority(int priority, int evicted)
    {
        var queues = new[] { Queue("a", 2, "c"), Queue("b", 2, "c", reclaim: ReclaimPolicy.Any), Queue("d", 4, "c") };

        var decision = QueueReconciler.Decide(Of(queues, [Job("own", "b", 4, priority)], Running(Job("r", "a", 2)), Running(Job("s", "a", 6))));

        Assert.Equal(evicted, decision.Evictions.Length);
        Assert.All(decision.Evictions, eviction => Assert.Equal("InCohortReclaimWhileBorrowing", eviction.Reason));
    }

    [Fact]
    public void Decide_QueueWithinItsNominalQuota_IsNotReclaimedFrom()
    {
        var decision = QueueReconciler.Decide(Of([Queue("a", 4, "c"), Queue("b", 4, "c", reclaim: ReclaimPolicy.Any)], [Job("own", "b", 8, 9)], Running(Job("r", "a", 4))));

        Assert.Empty(decision.Evictions);
    }

    [Fact]
    public void Decide_EvictionUnderWay_KeepsItsRoomForWhomItIsFor()
    {
        var queues = new[] { Queue("a", 4, order: QueueOrder.BestEffortFifo) };
        var victim = Running(Job("r", "a", 3)) with { IsEvicting = true, EvictedFor = "urgent" };

        var decision = QueueReconciler.Decide(Of(queues, [Job("urgent", "a", 3, 1), Job("small", "a", 1, 0), Job("other", "a", 1, 0)], victim));

        Assert.Empty(decision.Grants);
        Assert.Empty(decision.Evictions);
        Assert.Equal(1, decision.Usage[0].Reserved);
    }

    [Fact]
    public void Explain_JobsThatCannotBeAdmitted_SayWhatTheyLack()
    {
        var broken = Queue("broken", 1) with { Problem = "spec.order: Lifo: must be one of StrictFifo, BestEffortFifo; write StrictFifo, or leave it out", Quotas = [] };
        var decision = QueueReconciler.Decide(Of(
            [Queue("a", 4, "c", borrow: 1), Queue("b", 9, "c"), broken],
            [
                Job("lost", "nowhere", 1), Job("huge", "a", 6), Job("other", "a", 1, type: "tpu"), Job("stopped", "broken", 1),
                Job("classless", "a", 1) with { MissingPriorityClass = "urgent" }, Job("early", "a", 1) with { NotBefore = Start.AddHours(1).AddSeconds(9) },
            ]));

        var verdicts = new[] { "nowhere", "a", "broken" }.SelectMany(decision.Waiting).ToDictionary(verdict => verdict.Job.Uid);
        Assert.Equal("there is no TrainingQueue nowhere", verdicts["lost"].Message);
        Assert.Equal("the job needs 6 cpu accelerators at least, and queue a can never have more than 5: 4 nominal, at most 1 borrowed from cohort c", verdicts["huge"].Message);
        Assert.Equal("queue a has no quota of tpu", verdicts["other"].Message);
        Assert.StartsWith("queue broken admits nothing: spec.order: Lifo", verdicts["stopped"].Message, StringComparison.Ordinal);
        Assert.Equal("there is no PriorityClass urgent", verdicts["classless"].Message);
        Assert.Equal("a pod of its gang was not bound in time; the job is considered again from 2026-01-01T01:00:09Z on", verdicts["early"].Message);
        Assert.Equal(["QueueNotFound", "ExceedsQuota", "NoQuota", "QueueInactive", "PriorityClassNotFound", "BackingOff"], new[] { "lost", "huge", "other", "stopped", "classless", "early" }.Select(uid => verdicts[uid].Reason));
        Assert.Equal(Start.AddHours(1).AddSeconds(9), decision.LookAgainAt);
    }

    [Fact]
    public void WhatIf_JobOfHigherPriority_NamesWhomItWouldEvict()
    {
        var snapshot = Of([Queue("a", 4)], [Job("waits", "a", 4)], Running(Job("r", "a", 4)));

        var urgent = QueueWhatIf.Of(snapshot, Job("urgent", "a", 2, 5, 59));
        var modest = QueueWhatIf.Of(snapshot, Job("modest", "a", 2, 0, 59));
        var instead = QueueWhatIf.Of(snapshot, Job("r", "a", 3, 0, 0));

        Assert.Equal(("r", "WaitingForEvictions"), (Assert.Single(urgent.Evictions).Victim.Job.Uid, urgent.Waits!.Reason));
        Assert.Equal((2, "BehindAnother"), (modest.Waits!.Position, modest.Waits.Reason));
        Assert.Equal(3, instead.Grant!.Replicas);
    }

    [Fact]
    public void Decide_ManyJobs_IsTheSameEveryTime()
    {
        var queues = Enumerable.Range(0, 30).Select(i => Queue($"q{i}", 64, $"c{i % 5}", reclaim: ReclaimPolicy.Any, order: i % 2 == 0 ? QueueOrder.StrictFifo : QueueOrder.BestEffortFifo)).ToList();
        var running = Enumerable.Range(0, 600).Select(i => Running(Job($"r{i}", $"q{i % 20}", 1 + i % 5, i % 3), i % 50)).ToArray();
        var pending = Enumerable.Range(0, 5000).Select(i => Job($"p{i}", $"q{i % 30}", 1 + i % 7, i % 4, i % 55)).ToList();

        var snapshots = new[] { Of(queues, pending, running), Of(queues.AsEnumerable().Reverse(), pending.AsEnumerable().Reverse(), [.. running.Reverse()]) };
        var decisions = snapshots.Select(QueueReconciler.Decide).ToList();

        Assert.Equal(decisions[0].Grants, decisions[1].Grants);
        Assert.Equal(decisions[0].Evictions, decisions[1].Evictions);
        Assert.NotEmpty(decisions[0].Evictions);
    }
}
