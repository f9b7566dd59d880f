using System.Globalization;
using System.Text.Json.Nodes;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using static Phi.Operator.Tests.Queues.QueueCluster;

namespace Phi.Operator.Tests.Queues;

/// <summary>The operator's queues against the embedded API server.</summary>
public sealed class QueueOperatorTests
{
    private const string Cohort = """
        apiVersion: phi-orchestrator.io/v1alpha1
        kind: TrainingQueue
        metadata: {name: research}
        spec: {cohort: all, quotas: [{acceleratorType: cpu, nominal: 4}], preemption: {reclaimWithinCohort: Any, checkpointDeadline: 30s}}
        ---
        apiVersion: phi-orchestrator.io/v1alpha1
        kind: TrainingQueue
        metadata: {name: product}
        spec: {cohort: all, quotas: [{acceleratorType: cpu, nominal: 4}], preemption: {reclaimWithinCohort: Any, checkpointDeadline: 30s}}
        """;

    [Fact]
    public async Task Cohort_BorrowReclaimAndRestart_EveryJobEndsWhereItBelongs()
    {
        await using var cluster = await StartAsync(simulates: true);
        await cluster.ApplyAsync(Cohort);
        await cluster.SubmitAsync("own", "research", 4);
        await cluster.UntilAsync("own", HoldsQuota);
        await cluster.SubmitAsync("borrower", "research", 4);
        var borrower = await cluster.UntilAsync("borrower", HoldsQuota);
        Assert.Equal((TrainingPhase.Running, 1, 4), (borrower.Status!.Phase, borrower.Status.Attempt, borrower.Status.Replicas));
        var queue = await cluster.UntilQueueAsync("research", status => status.AdmittedJobs == 2);
        Assert.Equal((8, 4), (queue.Status!.Usage![0].Used, queue.Status.Usage[0].Borrowed));

        // A restart in the middle forgets nothing: the newcomer still finds no room but by reclaiming.
        await cluster.StopOperatorAsync();
        await cluster.SubmitAsync("owner", "product", 3);
        cluster.StartOperator();
        await cluster.UntilAsync("owner", HoldsQuota);
        var evicted = await cluster.UntilAsync("borrower", job => Condition(job, TrainingConditions.Requeued)?.Status == "True");
        Assert.Equal(("Preempted", "InCohortReclamation"), (Condition(evicted, TrainingConditions.Evicted)!.Reason, Condition(evicted, TrainingConditions.Preempted)!.Reason));
        Assert.StartsWith("queue product takes back 3 cpu accelerators for default/owner of priority 0 from cohort all", Condition(evicted, TrainingConditions.Evicted)!.Message, StringComparison.Ordinal);
        Assert.Equal(TrainingPhase.Pending, evicted.Status!.Phase);
        Assert.True(HoldsQuota(await cluster.UntilAsync("own", _ => true)));

        // Its room back, the victim starts anew, for free.
        await cluster.DeleteAsync("own");
        var again = await cluster.UntilAsync("borrower", HoldsQuota);
        Assert.Equal((2, 0, 1), (again.Status!.Attempt, again.Status.Restarts, again.Status.FreeRestarts));
        Assert.Equal("False", Condition(again, TrainingConditions.Evicted)!.Status);
    }

    [Fact]
    public async Task Grant_OfAJobThatBacksOff_ComesAtItsTimeThoughNothingElseHappens()
    {
        await using var cluster = await StartAsync(simulates: true);
        await cluster.ApplyAsync(Cohort);
        await cluster.SubmitAsync("all", "product", 8);
        await cluster.UntilAsync("all", HoldsQuota);
        await cluster.SubmitAsync("back", "product", 1);
        await cluster.UntilAsync("back", job => WaitsBecause(job, "InsufficientQuota"));
        var at = DateTimeOffset.UtcNow.AddSeconds(6);
        await cluster.Connection.TrainingJobs().MergePatchAsync("default", "back", new JsonObject
        {
            ["status"] = new JsonObject { ["requeueState"] = new JsonObject { ["count"] = 1, ["requeueAt"] = at.UtcDateTime.ToString("O", CultureInfo.InvariantCulture) } },
        }, "test", "status", TestContext.Current.CancellationToken);
        await cluster.UntilQueueAsync("product", status => status.Pending?.Exists(pending => pending is { Job: "default/back", Reason: "BackingOff" }) == true);

        await cluster.Connection.TrainingJobs().DeleteAsync("default", "all", null, null, TestContext.Current.CancellationToken);
        var granted = await cluster.UntilAsync("back", HoldsQuota);

        Assert.True(Condition(granted, TrainingConditions.QuotaReserved)!.LastTransitionTime >= at.AddSeconds(-1), $"granted at {Condition(granted, TrainingConditions.QuotaReserved)!.LastTransitionTime}, not before {at}");
    }

    [Fact]
    public async Task Simulation_ManyJobs_AllEndWithinTheQuota()
    {
        await using var cluster = await StartAsync(simulates: true);
        await cluster.ApplyAsync(Cohort.Replace("Any", "Never", StringComparison.Ordinal));
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => cluster.SubmitAsync($"job{i}", i % 2 == 0 ? "research" : "product", 1 + i % 4, "10ms")));
        await cluster.SubmitAsync("real", "research", 1, "soon");

        for (var i = 0; i < 40; i++)
        {
            var job = await cluster.UntilAsync($"job{i}", one => one.Status?.Phase is TrainingPhase.Succeeded or TrainingPhase.Failed);
            Assert.Equal((TrainingPhase.Succeeded, 1), (job.Status!.Phase, job.Status.Attempt));
        }

        var refused = await cluster.UntilAsync("real", job => job.Status?.Phase == TrainingPhase.Failed);
        Assert.Equal("metadata.annotations[phi-orchestrator.io/simulated-runtime]: soon: must be a duration under an operator that simulates execution; write how long the job runs, such as 200ms, or run the operator without --simulate-execution", Condition(refused, TrainingConditions.Finished)!.Message);
        await cluster.UntilQueueAsync("research", status => status is { AdmittedJobs: 0, PendingJobs: 0 });
    }

    [Fact]
    public async Task WaitingJobs_OfMissingThings_SayWhatTheyWaitFor()
    {
        await using var cluster = await StartAsync(simulates: false);
        await cluster.SubmitAsync("lost", "nowhere", 1);
        var lost = await cluster.UntilAsync("lost", job => WaitsBecause(job, "QueueNotFound"));
        Assert.Equal(TrainingPhase.Pending, lost.Status!.Phase);
        Assert.Null(lost.Metadata.Finalizers);

        await cluster.ApplyAsync(Cohort);
        await cluster.SubmitAsync("classless", "research", 1, priorityClass: "urgent");
        await cluster.SubmitAsync("huge", "research", 9);
        await cluster.UntilAsync("classless", job => WaitsBecause(job, "PriorityClassNotFound"));
        await cluster.UntilAsync("huge", job => WaitsBecause(job, "ExceedsQuota"));
        await cluster.ApplyAsync("""
            apiVersion: scheduling.k8s.io/v1
            kind: PriorityClass
            metadata: {name: urgent}
            value: 100
            """);
        await cluster.UntilAsync("classless", HoldsQuota);
        var queue = await cluster.UntilQueueAsync("research", status => status is { PendingJobs: 1, AdmittedJobs: 1 });
        Assert.Equal(("default/huge", 1, 9, "ExceedsQuota"), (queue.Status!.Pending![0].Job, queue.Status.Pending[0].Position, queue.Status.Pending[0].Accelerators, queue.Status.Pending[0].Reason));
        Assert.Equal(("Active", "True"), (queue.Status.Conditions![0].Type, queue.Status.Conditions[0].Status));
    }

    /// <summary>No node is there, so the pods of a gang stay gated; they are real objects all the same.</summary>
    [Fact]
    public async Task Preemption_OfAJobWithPods_ReleasesTheQuotaWhenTheyAreGone()
    {
        await using var cluster = await StartAsync(simulates: false);
        await cluster.ApplyAsync("""
            apiVersion: phi-orchestrator.io/v1alpha1
            kind: TrainingQueue
            metadata: {name: solo}
            spec: {quotas: [{acceleratorType: cpu, nominal: 2}]}
            ---
            apiVersion: scheduling.k8s.io/v1
            kind: PriorityClass
            metadata: {name: urgent}
            value: 100
            """);
        await cluster.SubmitAsync("low", "solo", 2);
        await cluster.UntilAsync("low", job => HoldsQuota(job) && Condition(job, TrainingConditions.Admitted)?.Reason == "InsufficientCapacity");
        Assert.NotNull(await cluster.Connection.Pods().GetAsync("default", "low-1", TestContext.Current.CancellationToken));

        await cluster.SubmitAsync("high", "solo", 2, priorityClass: "urgent");
        await cluster.UntilAsync("high", HoldsQuota);
        var low = await cluster.UntilAsync("low", job => Condition(job, TrainingConditions.Requeued)?.Status == "True");
        Assert.Null(await cluster.Connection.Pods().GetAsync("default", "low-0", TestContext.Current.CancellationToken));
        Assert.Equal(("InQueue", TrainingPhase.Pending), (Condition(low, TrainingConditions.Preempted)!.Reason, low.Status!.Phase));

        // A suspended job gives its quota back, and queues again when resumed.
        await cluster.PatchAsync("high", """{"suspend": true}""");
        await cluster.UntilAsync("high", job => job.Status?.Phase == TrainingPhase.Suspended && WaitsBecause(job, "Suspended"));
        var second = await cluster.UntilAsync("low", HoldsQuota);
        // Its pods never had a place: the attempt had not begun, so none is interrupted.
        Assert.Equal((1, 0, 0), (second.Status!.Attempt, second.Status.Restarts, second.Status.FreeRestarts));
        await cluster.PatchAsync("high", """{"suspend": false}""");
        await cluster.UntilAsync("high", HoldsQuota);
        await cluster.UntilAsync("low", job => !HoldsQuota(job));
    }
}
