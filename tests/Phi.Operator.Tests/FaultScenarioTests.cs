using Microsoft.Extensions.Logging.Abstractions;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.Tests.Cluster;

namespace Phi.Operator.Tests;

/// <summary>A job's whole life, with one fault of the API server on the way: the end is always the same.</summary>
public sealed class FaultScenarioTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    private const string End = "Succeeded attempt 2 restarts 1 free 0 finished Completed; pods 0:Succeeded 1:Succeeded; service; finalizer";

    /// <summary>Calls that every life has; a fault much later might find nothing to break.</summary>
    private const int Calls = 30;
    private static readonly Fault[] Faults = Enum.GetValues<Fault>();

    /// <summary>Every call once, each with another fault; the first calls, which fill the caches, with those of watches as well.</summary>
    public static TheoryData<int, Fault> Plans => [.. Enumerable.Range(1, Calls).Select(call => (call, Faults[call * 5 % Faults.Length])), .. Enumerable.Range(4, 3).SelectMany(call => new[] { (call, Fault.WatchCut), (call, Fault.WatchReplayed), (call, Fault.WatchGone) })];

    [Theory(Timeout = 300_000)]
    [MemberData(nameof(Plans))]
    public async Task Job_WithOneFaultOnItsWay_EndsTheSame(int call, Fault fault)
    {
        var plan = new FaultPlan(call, fault);
        var name = $"job-{call}-{fault}".ToLowerInvariant();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        await using var node = new FakeNode(cluster.Connection);
        var host = OperatorHost.RunAsync(cluster.Options("faults", leaderElect: false), new OperatorSeams { Handler = () => new FaultHandler(plan) }, NullLoggerFactory.Instance, stop.Token);
        try
        {
            await LiveAsync(host, name, node, plan);
        }
        finally
        {
            await stop.CancelAsync();
            await host;
        }
    }

    private async Task LiveAsync(Task host, string name, FakeNode node, FaultPlan plan)
    {
        await cluster.SubmitAsync(name);
        await UntilAsync(host, name, job => job.Status?.Phase == TrainingPhase.Running);
        await node.EndAsync(name, exitCode: 1, index: 1);
        await UntilAsync(host, name, job => job.Status is { Phase: TrainingPhase.Running, Attempt: 2, ReadyReplicas: 2 });
        await node.EndAsync(name, exitCode: 0);
        var job = await UntilAsync(host, name, job => job.Status?.Phase is TrainingPhase.Succeeded or TrainingPhase.Failed);

        Assert.Equal(End, await DescribeAsync(job, node));
        Assert.True(plan.HasFired, $"only {plan.Calls} calls were made");
        await cluster.Connection.TrainingJobs().DeleteAsync("default", name, null, null, TestContext.Current.CancellationToken);
        while (await cluster.JobAsync(name) is not null)
        {
            Assert.False(host.IsCompleted);
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    private async Task<TrainingJob> UntilAsync(Task host, string name, Func<TrainingJob, bool> isWanted)
    {
        var reached = cluster.UntilAsync(name, isWanted);
        if (await Task.WhenAny(host, reached) == host)
        {
            await host;
            Assert.Fail("the operator ended");
        }

        return await reached;
    }

    private async Task<string> DescribeAsync(TrainingJob job, FakeNode node)
    {
        var status = job.Status!;
        var pods = (await node.PodsAsync(job.Metadata.Name!)).Select(pod => $"{pod.Metadata.Labels[PhiNames.ReplicaIndexLabel]}:{pod.Status.Phase}").Order(StringComparer.Ordinal);
        var finished = status.Conditions!.Find(condition => condition is { Type: TrainingConditions.Finished, Status: "True" });
        var service = await cluster.Connection.Services().GetAsync("default", job.Metadata.Name!, TestContext.Current.CancellationToken);
        return $"{status.Phase} attempt {status.Attempt} restarts {status.Restarts} free {status.FreeRestarts} finished {finished?.Reason}; pods {string.Join(' ', pods)}; {(service is null ? "no service" : "service")}; {string.Join(' ', job.Metadata.Finalizers!.Select(_ => "finalizer"))}";
    }
}
