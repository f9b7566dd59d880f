using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests;

/// <summary>Gangs that were withdrawn because a pod was not bound in time come back later each time.</summary>
public sealed class RequeueTests
{
    private const string FirstWords = "its gang was withdrawn once because a pod was not bound in time; it is considered again from 2026-01-01T00:01:10Z on";

    [Fact]
    public void Decide_AgainAndAgain_WaitsTwiceAsLongEachTimeUpToTheMost()
    {
        List<double> waits = [];
        for (var count = 0; count < 10; count++)
        {
            var withdrawn = JobReconciler.Decide(Unbound(job => job.Status!.RequeueState = count == 0 ? null : new RequeueStateStatus { Count = count, RequeueAt = Jobs.Start }));
            Assert.Equal(("WithdrawnNotBound", count + 1), (withdrawn.Reason, withdrawn.Status!.RequeueState!.Count));
            waits.Add((withdrawn.Status.RequeueState.RequeueAt!.Value - Jobs.Start.AddSeconds(60)).TotalSeconds);
        }

        Assert.Equal([10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600], waits);
    }

    [Fact]
    public void Decide_WhileItBacksOff_MakesNoPodsAndSaysUntilWhen()
    {
        var withdrawn = Unbound();
        withdrawn = withdrawn.After(JobReconciler.Decide(withdrawn));

        var waiting = JobReconciler.Decide(withdrawn);
        var later = JobReconciler.Decide(withdrawn with { Now = Jobs.Start.AddSeconds(70) });

        Assert.Equal(("BackingOff", TimeSpan.FromSeconds(10), FirstWords), (waiting.Reason, waiting.RequeueAfter, waiting.Message));
        Assert.Empty(waiting.Actions);
        Assert.Contains(waiting.Status!.Conditions!, condition => condition is { Type: TrainingConditions.QuotaReserved, Status: "False", Reason: "BackingOff", Message: FirstWords });
        Assert.Equal(("CreatingPods", 1), (later.Reason, later.Status!.Attempt));
    }

    [Fact]
    public void Decide_OnceItTrains_BeginsAnew()
    {
        var training = Jobs.Running(job => job.Status!.RequeueState = new RequeueStateStatus { Count = 3, RequeueAt = Jobs.Start });

        Assert.Null(JobReconciler.Decide(training).Status!.RequeueState);
    }

    [Fact]
    public void Head_OfTheLine_IsNoneThatBacksOff()
    {
        var backsOff = Unbound();
        backsOff = backsOff.After(JobReconciler.Decide(backsOff));
        var next = GangPlacementTests.Waiting(1);

        Assert.Same(next, Reservation.Head([backsOff, next]));
        backsOff = backsOff with { Now = Jobs.Start.AddSeconds(70) };
        Assert.Same(backsOff, Reservation.Head([backsOff, next]));
    }

    [Fact]
    public void Decide_WithAQueue_GivesTheQuotaBackOnceItsPodsAreGone()
    {
        var unbound = Unbound(job =>
        {
            job.Spec.Queue = "research";
            job.Status!.Conditions!.Add(new Condition { Type = TrainingConditions.QuotaReserved, Status = "True", Reason = "QuotaReserved", Message = "granted" });
        }) with { Admission = new QueueAdmission(AdmissionState.Granted, 2, "QuotaReserved", "granted") };

        var withdrawn = JobReconciler.Decide(unbound);
        var holding = unbound.After(withdrawn) with { Pods = [Jobs.Pod(0, "Pending") with { IsDeleting = true, Attempt = 1 }] };
        var releasing = JobReconciler.Decide(holding);
        var gone = holding with { Pods = [] };
        var requeued = JobReconciler.Decide(gone);
        var waiting = gone.After(requeued) with { Admission = new QueueAdmission(AdmissionState.Waiting, 0, "BackingOff", "waits") };
        var granted = JobReconciler.Decide(waiting with { Admission = new QueueAdmission(AdmissionState.Granted, 2, "QuotaReserved", "granted again"), Now = Jobs.Start.AddSeconds(70) });

        Assert.Equal("WithdrawnNotBound", withdrawn.Reason);
        Assert.True(Holds(withdrawn.Status!));
        Assert.Equal(("Releasing", $"waiting for 1 pods to end before the quota is given back: {FirstWords}"), (releasing.Reason, releasing.Message));
        Assert.Equal(("Requeued", TrainingPhase.Pending, false), (requeued.Reason, requeued.Status!.Phase, Holds(requeued.Status)));
        Assert.Contains(requeued.Status.Conditions!, condition => condition is { Type: TrainingConditions.Evicted, Status: "True", Reason: "PodsReadyTimeout", Message: FirstWords });
        Assert.Equal("BackingOff", JobReconciler.Decide(waiting).Reason);
        Assert.Equal(("QuotaReserved", 1, 0), (granted.Reason, granted.Status!.Attempt, granted.Status.FreeRestarts));
        Assert.Contains(granted.Status.Conditions!, condition => condition is { Type: TrainingConditions.Evicted, Status: "False" });
    }

    private static bool Holds(TrainingJobStatus status) => status.Conditions!.Exists(condition => condition is { Type: TrainingConditions.QuotaReserved, Status: "True" });

    /// <summary>A gang of two, placed a minute ago, of which one pod is not bound.</summary>
    private static JobSnapshot Unbound(Action<TrainingJob>? change = null) => GangPlacementTests.Waiting(2, job =>
    {
        job.Status!.Phase = TrainingPhase.Starting;
        job.Status.Conditions = [new Condition { Type = TrainingConditions.Placed, Status = "True", LastTransitionTime = Jobs.Start }];
        change?.Invoke(job);
    }).With(0, pod => pod with { IsGated = false, Node = "node-0" }).With(1, pod => pod with { IsGated = false, Pin = "node-1" }) with { Now = Jobs.Start.AddSeconds(60) };
}
