using System.IO.Pipelines;
using Microsoft.Extensions.Logging.Abstractions;
using Phi.Api.CronTrainingJobs;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.Cron;
using Phi.Operator.Tests.Cluster;

namespace Phi.Operator.Tests;

/// <summary>Runs that the watch of jobs is late to show.</summary>
public sealed class CronCacheTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Observe_RunThatTheInformerHasNotShown_CountsUntilItIsGone()
    {
        var cron = await cluster.Connection.CronTrainingJobs().CreateAsync("default", new CronTrainingJob
        {
            Metadata = new ObjectMeta { Name = "late", Namespace = "default" },
            Spec = new CronTrainingJobSpec { Schedule = "@hourly", JobTemplate = new TrainingJobTemplate { Spec = new TrainingJobSpec { Phi = new PhiSpec { Steps = 10, Data = new DataSpec { Sources = ["/x"], Tokenizer = new TokenizerSpec { Bytes = new() } } } } } },
        }, "test", Ct);
        var key = new ResourceKey("default", "late");
        using var connection = KubernetesConnection.Open(cluster.Kubeconfig, "test", new SilentWatches());
        var cache = new CronCache(connection, NamespaceScope.Everywhere, TimeProvider.System, NullLogger.Instance);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var follow = cache.RunAsync(_ => { }, _ => { }, stop.Token);
        await cache.Synced;
        var run = await cluster.Connection.TrainingJobs().CreateAsync("default", CronTemplate.Manual(cron, "late-1"), "test", Ct);

        Assert.Empty(cache.Observe(key)!.Active);
        cache.Remember(run);
        await cache.RefreshAsync(key, Ct);
        Assert.Equal(run.Metadata.Uid, Assert.Single(cache.Observe(key)!.Active).Metadata.Uid);

        await cluster.Connection.TrainingJobs().DeleteAsync("default", "late-1", null, null, Ct);
        await cache.RefreshAsync(key, Ct);
        Assert.Empty(cache.Observe(key)!.Jobs);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => follow);
    }

    /// <summary>Lists are answered; watches never say anything.</summary>
    private sealed class SilentWatches : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            request.RequestUri!.Query.Contains("watch=true", StringComparison.Ordinal)
                ? new HttpResponseMessage { Content = new StreamContent(new Pipe().Reader.AsStream()) }
                : await base.SendAsync(request, cancellationToken);
    }
}
