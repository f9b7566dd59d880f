using CsCheck;
using Phi.Checkpoints.Retention;
using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Tests;

/// <summary>What a policy removes, for stores of every kind.</summary>
public sealed class RetentionPlanTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Grace = TimeSpan.FromHours(1);

    private static readonly Gen<StoredStep> Steps =
        from step in Gen.Long[0, 60]
        from state in Gen.Int[0, 2]
        from age in Gen.Double[0, 3]
        from marker in Gen.Int[0, 5]
        from expiry in Gen.Double[-1, 1]
        from hasLeftovers in Gen.Bool
        select new StoredStep(step * 5, (StepState)state, 10, Now - TimeSpan.FromHours(age))
        {
            Pin = marker == 1 ? new CheckpointPin("ann", Now, "good") : null,
            Uses = marker is 2 or 3 ? [new StepUse("ben", "export", Now + TimeSpan.FromHours(expiry))] : [],
            Leftovers = hasLeftovers && (StepState)state == StepState.Committed ? [new StoredFile("step/shard", 4, Now - TimeSpan.FromHours(age))] : [],
        };

    [Fact]
    public void Of_AnyStore_KeepsWhatThePolicyPromises() =>
        Gen.Select(Steps.Array[0, 25], Gen.Int[1, 6], Gen.Long[0, 8]).Sample((generated, keepLast, tens) =>
        {
            var steps = generated.DistinctBy(step => step.Step).ToList();
            var policy = new RetentionPolicy { KeepLast = keepLast, KeepEvery = tens == 0 ? null : tens * 10, OrphanGrace = Grace };

            var plan = RetentionPlan.Of(policy, steps, Now);

            Assert.Equal(steps.Select(step => step.Step).OrderDescending(), plan.Where(one => one.Kind != RetainedKind.Leftovers).Select(one => one.Step));
            var committed = steps.Where(step => step.State == StepState.Committed).OrderByDescending(step => step.Step).ToList();
            var removed = plan.Where(one => one.IsRemoved && one.Kind != RetainedKind.Leftovers).Select(one => steps.Single(step => step.Step == one.Step)).ToList();
            // Neither the newest ones, nor what somebody holds, nor what may be being saved.
            Assert.Empty(removed.Intersect(committed.Take(keepLast)));
            Assert.DoesNotContain(removed, step => step.Pin is not null || step.Uses.Any(use => use.Expires > Now));
            Assert.DoesNotContain(removed, step => step.State != StepState.Committed && Now - step.Modified < Grace);
            Assert.DoesNotContain(removed, step => step.State == StepState.Committed && step.Step > 0 && step.Step % policy.KeepEvery == 0);
            // A damaged one goes only when enough good ones are newer.
            Assert.All(removed.Where(step => step.State == StepState.Damaged), step => Assert.True(committed.Count(good => good.Step > step.Step) >= keepLast));
            // What nobody has a reason to keep goes.
            Assert.All(steps.Except(removed), step => Assert.True(
                committed.Take(keepLast).Contains(step) || step.Pin is not null || step.Uses.Any(use => use.Expires > Now) || (policy.KeepEvery is { } kept && step.State == StepState.Committed && step.Step > 0 && step.Step % kept == 0)
                || (step.State != StepState.Committed && Now - step.Modified < Grace) || (step.State == StepState.Damaged && committed.Count(good => good.Step > step.Step) < keepLast)));
            // Doing it again changes nothing.
            Assert.DoesNotContain(RetentionPlan.Of(policy, [.. steps.Except(removed)], Now), one => one.IsRemoved && one.Kind != RetainedKind.Leftovers);
        }, iter: 2000);

    [Fact]
    public void Of_AStoreOfEachKind_GivesTheReasonAndItsWords()
    {
        StoredStep[] steps =
        [
            new(60, StepState.Uncommitted, 1, Now - TimeSpan.FromMinutes(5)),
            new(50, StepState.Committed, 1, Now) { Leftovers = [new StoredFile("x", 7, Now - TimeSpan.FromHours(2))] },
            new(45, StepState.Committed, 1, Now),
            new(40, StepState.Committed, 1, Now - TimeSpan.FromDays(1)) { Pin = new CheckpointPin("ann", Now, "the paper's") },
            new(35, StepState.Committed, 1, Now) { Uses = [new StepUse("ben", "export", Now + TimeSpan.FromSeconds(1))] },
            new(30, StepState.Committed, 1, Now) { Uses = [new StepUse("ben", "export", Now)] },
            new(20, StepState.Committed, 1, Now),
            new(15, StepState.Damaged, 1, Now - TimeSpan.FromHours(2)),
            new(10, StepState.Uncommitted, 1, Now - TimeSpan.FromHours(3)),
        ];

        var plan = RetentionPlan.Of(new RetentionPolicy { KeepLast = 2, KeepEvery = 20 }, steps, Now);

        Assert.Equal(
            ["60 Recent keep", "50 Newest keep", "50 NeverCommitted remove", "45 KeepLast keep", "40 Pinned keep", "35 InUse keep", "30 Older remove", "20 KeepEvery keep", "15 DamagedOld remove", "10 NeverCommitted remove"],
            plan.Select(one => $"{one.Step} {one.Reason} {(one.IsRemoved ? "remove" : "keep")}"));
        Assert.Equal("it is not committed and was written 5 min ago: it may be being saved, and stays for 60 min", plan[0].Message);
        Assert.Equal((RetainedKind.Leftovers, 7), (plan[2].Kind, plan[2].Bytes));
        Assert.Equal("ann pinned it: the paper's", plan[4].Message);
        Assert.Equal("ben uses it: export", plan[5].Message);
        Assert.Equal("it was never committed, and last written 3 h ago", plan[^1].Message);
    }
}
