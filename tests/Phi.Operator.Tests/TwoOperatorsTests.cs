using System.Diagnostics;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using OpenTelemetry;
using OpenTelemetry.Trace;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.Tests.Cluster;
using Phi.Operator.Tracing;

namespace Phi.Operator.Tests;

/// <summary>Whole operators, side by side on one cluster.</summary>
public sealed class TwoOperatorsTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RunAsync_LeaderKilledInTheMiddle_TheOtherFinishesTheJob()
    {
        await using var node = new FakeNode(cluster.Connection);
        await using var first = new RunningOperator(cluster, "first", releases: false);
        await UntilAsync(async () => await first.MetricAsync("phi_leader") == 1);
        await using var second = new RunningOperator(cluster, "second");
        await second.HealthAsync();
        await UntilAsync(async () => (await second.ReadAsync("/readyz")).StartsWith("ok", StringComparison.Ordinal));

        await cluster.SubmitAsync("handed-over");
        await cluster.UntilAsync("handed-over", job => job.Status?.Phase == TrainingPhase.Running);
        await UntilAsync(() => Task.FromResult(node.Urls.Count >= 2));
        Assert.Equal(0, await second.MetricAsync("phi_leader"));
        Assert.Equal(0, await second.MetricAsync("phi_attempts_total"));

        await first.KillAsync();
        await UntilAsync(async () => await second.MetricAsync("phi_leader") == 1);
        await node.EndAsync("handed-over", exitCode: 1, index: 0);
        await cluster.UntilAsync("handed-over", job => job.Status is { Phase: TrainingPhase.Running, Attempt: 2, ReadyReplicas: 2 });
        await node.EndAsync("handed-over", exitCode: 0);
        var done = await cluster.UntilAsync("handed-over", job => job.Status?.Phase == TrainingPhase.Succeeded);

        Assert.Equal((2, 1, 0), (done.Status!.Attempt, done.Status.Restarts, done.Status.FreeRestarts));
        Assert.Equal(1, await second.MetricAsync("phi_restarts_total{charge=\"charged\""));
        Assert.DoesNotContain("handed-over", await second.ReadAsync("/metrics"), StringComparison.Ordinal);
        Assert.StartsWith("ok", await second.ReadAsync("/healthz"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AgentApi_OfAStandby_HandsHeartbeatsOnAndStoresEvents()
    {
        await using var leader = new RunningOperator(cluster, "leader");
        await UntilAsync(async () => await leader.MetricAsync("phi_leader") == 1);
        await using var standby = new RunningOperator(cluster, "standby");
        await UntilAsync(async () => (await standby.ReadAsync("/readyz")).StartsWith("ok", StringComparison.Ordinal));
        var standbyUrl = (await cluster.Connection.Leases().GetAsync("kube-system", "phi-operator-replica-standby", Ct))!.Metadata.Annotations["phi-orchestrator.io/agent-url"];

        // The agents of this node know the standby alone.
        await using var node = new FakeNode(cluster.Connection, only: standbyUrl);
        await cluster.SubmitAsync("by-standby");
        var running = await cluster.UntilAsync("by-standby", job => job.Status is { Phase: TrainingPhase.Running, Progress.Step: > 3 });

        Assert.Equal(1, running.Status!.Attempt);
        await UntilAsync(async () => await leader.MetricAsync("phi_training_steps_total") > 3);
        Assert.Equal(0, await standby.MetricAsync("phi_training_steps_total"));
        await node.EndAsync("by-standby", exitCode: 0);
        await cluster.UntilAsync("by-standby", job => job.Status?.Phase == TrainingPhase.Succeeded);
    }

    /// <summary>The second operator's watch of jobs shows nothing: it leads with what it listed before the first one gave the quota away.</summary>
    [Fact]
    public async Task Quota_GrantedByALeaderWhoseWritesTheNextOneHasNotSeen_IsNotGivenTwice()
    {
        await cluster.Connection.TrainingJobs().ApplyAsync("default", "holder", Queued("holder", null), "test", null, Ct);
        await cluster.Connection.TrainingJobs().ApplyAsync("default", "urgent", Queued("urgent", "urgent"), "test", null, Ct);
        await using var first = new RunningOperator(cluster, "granting", lease: "granting");
        await cluster.UntilAsync("holder", job => Quota(job)?.Reason == "QueueNotFound");
        await cluster.UntilAsync("urgent", job => Quota(job)?.Reason == "QueueNotFound");
        await using var second = new RunningOperator(cluster, "blind", lease: "granting", handler: () => new HoldHandler(request => request.RequestUri!.AbsolutePath.EndsWith("/trainingjobs", StringComparison.Ordinal) && request.RequestUri.Query.Contains("watch=true", StringComparison.Ordinal)));
        await UntilAsync(async () => (await second.ReadAsync("/readyz")).StartsWith("ok", StringComparison.Ordinal));
        await cluster.Connection.TrainingQueues().ApplyAsync("", "one", JsonNode.Parse("""
            {"apiVersion": "phi-orchestrator.io/v1alpha1", "kind": "TrainingQueue", "metadata": {"name": "one"},
             "spec": {"quotas": [{"acceleratorType": "phantom", "nominal": 1}], "preemption": {"withinQueue": "Never"}}}
            """)!.AsObject(), "test", null, Ct);
        await cluster.UntilAsync("holder", job => Quota(job) is { Status: "True" });
        await UntilAsync(async () => await PodsAsync("holder") is [_]);

        await first.KillAsync();
        await cluster.Connection.PriorityClasses().CreateAsync("", new V1PriorityClass { Metadata = new V1ObjectMeta { Name = "urgent" }, Value = 1 }, "test", Ct);
        await UntilAsync(async () => await second.MetricAsync("phi_leader") == 1);
        var waiting = await cluster.UntilAsync("urgent", job => Quota(job) is { Reason: not ("QueueNotFound" or "PriorityClassNotFound") });
        var holder = (await cluster.Connection.TrainingJobs().GetAsync("default", "holder", Ct))!;

        Assert.Equal(("False", "InsufficientQuota"), (Quota(waiting)!.Status, Quota(waiting)!.Reason));
        Assert.Equal(("True", 1), (Quota(holder)!.Status, holder.Status!.Attempt));
        Assert.Null(Assert.Single(await PodsAsync("holder"))["metadata"]!["deletionTimestamp"]);
        foreach (var name in new[] { "holder", "urgent" })
        {
            // The blind one would not see that it is asked to.
            await cluster.Connection.TrainingJobs().MergePatchAsync("default", name, new JsonObject { ["metadata"] = new JsonObject { ["finalizers"] = null } }, "test", null, Ct);
            await cluster.Connection.TrainingJobs().DeleteAsync("default", name, null, null, Ct);
        }
    }

    private async Task<IReadOnlyList<JsonObject>> PodsAsync(string job) => (await cluster.Connection.Pods().ListAsync("default", $"&labelSelector={PhiNames.JobNameLabel}%3D{job}", Ct)).Items;

    private static Condition? Quota(TrainingJob job) => job.Status?.Conditions?.Find(condition => condition.Type == TrainingConditions.QuotaReserved);

    /// <summary>One pod of one rank that queue "one" is to admit, of a kind that no node has.</summary>
    private static JsonObject Queued(string name, string? priorityClass)
    {
        var job = JsonNode.Parse($$$$"""
            {"apiVersion": "phi-orchestrator.io/v1alpha1", "kind": "TrainingJob", "metadata": {"name": "{{{{name}}}}"},
             "spec": {"queue": "one", "replicas": 1, "accelerator": {"type": "phantom", "perReplica": 1},
                      "phi": {"model": {"preset": "phi-tiny"}, "data": {"sources": ["/srv/text"], "tokenizer": {"bytes": {}}}, "batch": {"global": 4, "micro": 2}, "steps": 10}}}
            """)!.AsObject();
        if (priorityClass is not null)
        {
            job["spec"]!["priorityClassName"] = priorityClass;
        }

        return job;
    }

    [Fact]
    public async Task Reconcile_WithATracer_IsASpanWithItsPartsAndRequests()
    {
        var spans = new List<Activity>();
        using var tracer = OperatorTracing.Configure(Sdk.CreateTracerProviderBuilder(), "traced").AddInMemoryExporter(spans).Build();
        await using var node = new FakeNode(cluster.Connection);
        await using var traced = new RunningOperator(cluster, "traced", lease: "traced");

        await cluster.SubmitAsync("traced");
        await cluster.UntilAsync("traced", job => job.Status?.Phase == TrainingPhase.Running);
        await node.EndAsync("traced", exitCode: 0);
        await cluster.UntilAsync("traced", job => job.Status?.Phase == TrainingPhase.Succeeded);
        await traced.KillAsync();

        var placed = spans.First(span => span.OperationName == "reconcile" && (string?)span.GetTagItem("phi.reason") == "Placed" && (string?)span.GetTagItem("phi.job") == "default/traced");
        Assert.Equal(1, placed.GetTagItem("phi.attempt"));
        var parts = spans.Where(span => span.ParentSpanId == placed.SpanId).ToList();
        Assert.Equal(["observe", "decide", "execute"], parts.OrderBy(span => span.StartTimeUtc).Select(span => span.OperationName));
        Assert.Contains(spans, span => span.ParentSpanId == parts.Find(part => part.OperationName == "execute")!.SpanId && (string?)span.GetTagItem("http.request.method") == "PATCH");
        Assert.DoesNotContain(spans, span => ((string?)span.GetTagItem("url.full") ?? "").Contains("watch=true", StringComparison.Ordinal));
    }

    private static async Task UntilAsync(Func<Task<bool>> isReached)
    {
        while (!await isReached())
        {
            await Task.Delay(20, Ct);
        }
    }

    /// <summary>An operator on a lease of seconds instead of minutes, and its health endpoints.</summary>
    private sealed class RunningOperator : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        private readonly TaskCompletionSource<Uri> _health = new();
        private readonly HttpClient _http = new();
        private readonly Task _host;

        public RunningOperator(TestCluster cluster, string name, bool releases = true, string lease = "phi-operator", Func<DelegatingHandler>? handler = null) => _host = OperatorHost.RunAsync(
            cluster.Options(name, leaderElect: true, healthPort: 0),
            new OperatorSeams
            {
                OnHealth = _health.SetResult,
                Handler = handler,
                Lease = options => options with { Name = lease, Duration = TimeSpan.FromSeconds(6), RenewDeadline = TimeSpan.FromSeconds(4), RetryPeriod = TimeSpan.FromMilliseconds(300), ReleasesOnStop = releases },
            },
            NullLoggerFactory.Instance,
            _stop.Token);

        public async Task<Uri> HealthAsync()
        {
            if (await Task.WhenAny(_health.Task, _host) == _host)
            {
                await _host;
            }

            return await _health.Task;
        }

        public async Task<string> ReadAsync(string path)
        {
            using var response = await _http.GetAsync(new Uri(await HealthAsync(), path), Ct);
            return await response.Content.ReadAsStringAsync(Ct);
        }

        /// <summary>The value of the first line that begins so; 0 if there is none.</summary>
        public async Task<double> MetricAsync(string start)
        {
            var line = (await ReadAsync("/metrics")).Split('\n').FirstOrDefault(line => line.StartsWith(start, StringComparison.Ordinal) && line.Length > start.Length && !char.IsLetterOrDigit(line[start.Length]) && line[start.Length] != '_');
            return line is null ? 0 : double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
        }

        public async Task KillAsync()
        {
            await _stop.CancelAsync();
            await _host;
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _host.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _http.Dispose();
            _stop.Dispose();
        }
    }
}
