using Microsoft.Extensions.Logging.Abstractions;
using Phi.Api.Metadata;
using Phi.Api.TrainingQueues;
using Phi.Kubernetes;
using Phi.Operator.Queues;
using Phi.Operator.Tests.Cluster;
using Phi.Reconcile.Queues;

namespace Phi.Operator.Tests.Queues;

public sealed class QueueStatusWriterTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Fault.Conflict)]
    [InlineData(Fault.TooManyRequests)]
    [InlineData(Fault.AnswerLost)]
    public async Task WriteAsync_NotWritten_SaysSoAndWritesTheNextTime(Fault fault)
    {
        using var connection = KubernetesConnection.Open(cluster.Kubeconfig, "test", new FaultHandler(new FaultPlan("apply trainingqueues/status with 0 admitted", fault)));
        var name = $"queue-{fault}".ToLowerInvariant();
        var spec = new TrainingQueueSpec { Quotas = [new QueueQuotaSpec { AcceleratorType = "cpu", Nominal = 2 }] };
        var queue = await connection.TrainingQueues().CreateAsync("", new TrainingQueue { Metadata = new ObjectMeta { Name = name }, Spec = spec }, "test", Ct);
        var decision = QueueReconciler.Decide(QueueSnapshot.Create([QueueReader.Queue(queue)], [], [], TimeProvider.System.GetUtcNow()));
        var writer = new QueueStatusWriter(connection, TimeProvider.System, NullLogger.Instance);

        Assert.False(await writer.WriteAsync([queue], decision, 100, Ct));
        Assert.True(await writer.WriteAsync([queue], decision, 100, Ct));
        Assert.Equal(0, (await connection.TrainingQueues().GetAsync("", name, Ct))!.Status!.AdmittedJobs);
    }
}
