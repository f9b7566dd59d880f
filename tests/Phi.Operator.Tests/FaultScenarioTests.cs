using Microsoft.Extensions.Logging.Abstractions;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.Tests.Cluster;

namespace Phi.Operator.Tests;

/// <summary>A job's whole life, again and again, with one fault of the API server at each of its calls in turn: the end is always the same.</summary>
public sealed class FaultScenarioTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    private const string End = "Succeeded attempt 2 restarts 1 free 0 finished Completed; pods 0:Succeeded 1:Succeeded; service; finalizer";

    /// <summary>A life makes at least so many calls; one with fewer would hide that faults find nothing to break.</summary>
    private const int FewestCalls = 30;

    /// <summary>Every call meets two of the six faults of a request; with PHI_FAULTS=all every one.</summary>
    private static readonly int Stride = Environment.GetEnvironmentVariable("PHI_FAULTS") == "all" ? 1 : 3;

    [Theory(Timeout = 900_000)]
    [InlineData(Fault.Conflict, 1)]
    [InlineData(Fault.Gone, 2)]
    [InlineData(Fault.TooManyRequests, 3)]
    [InlineData(Fault.ServerError, 1)]
    [InlineData(Fault.RequestLost, 2)]
    [InlineData(Fault.AnswerLost, 3)]
    public async Task Job_WithTheFaultAtOneCallAfterAnother_EndsTheSame(Fault fault, int firstCall)
    {
        var calls = await EveryCallAsync(fault, Stride == 1 ? 1 : firstCall, Stride, TestContext.Current.CancellationToken);

        Assert.InRange(calls, FewestCalls, int.MaxValue);
    }

    [Theory(Timeout = 900_000)]
    [InlineData(Fault.WatchCut)]
    [InlineData(Fault.WatchReplayed)]
    [InlineData(Fault.WatchGone)]
    public async Task Job_WithEveryWatchSpoiltInTurn_EndsTheSame(Fault fault) => Assert.True(await EveryCallAsync(fault, 1, 1, TestContext.Current.CancellationToken) > 1);

    /// <summary>One life for each call that the fault can meet; ends with the one that has no such call.</summary>
    /// <returns>The last call that a fault met.</returns>
    private async Task<int> EveryCallAsync(Fault fault, int first, int stride, CancellationToken cancellationToken)
    {
        for (var call = first; ; call += stride)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var plan = new FaultPlan(call, fault);
            await OneLifeAsync(plan, $"job-{call}-{fault}".ToLowerInvariant());
            if (!plan.HasFired)
            {
                return call - stride;
            }
        }
    }

    private async Task OneLifeAsync(FaultPlan plan, string name)
    {
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

        Assert.True(End == await DescribeAsync(job, node), $"{plan}: {await DescribeAsync(job, node)}");
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
