using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;

namespace Phi.Operator.Tests.Cluster;

/// <summary>
/// A schedule makes a job of two pods, which waits in a queue, is placed, loses a rank, comes back, succeeds and is deleted; all under an
/// operator that leads, whose clock goes on with the rounds of the node.
/// </summary>
internal sealed class FaultLife : IAsyncDisposable
{
    public const string End = "Succeeded attempt 2 restarts 1 free 0 finished Completed; pods 0:Succeeded 1:Succeeded; service; 1 finalizer; 1 run, 0 active; queue admits 0 of 0";

    private static int _lives;
    private readonly int _number = Interlocked.Increment(ref _lives);
    private readonly TestCluster _cluster;
    private readonly FakeNode _node;
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
    private readonly Task _host;

    private FaultLife(TestCluster cluster, FaultPlan plan)
    {
        // One midnight lies between the schedule's creation and now: it is due at once, and once.
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddDays(1));
        _cluster = cluster;
        _node = new FakeNode(cluster.Connection, clock: clock);
        var seams = new OperatorSeams
        {
            Time = clock,
            Handler = () => new FaultHandler(plan),
            // Renewing takes real time: of this clock it may take long.
            Lease = lease => lease with { Duration = TimeSpan.FromHours(2), RenewDeadline = TimeSpan.FromHours(1) },
        };
        _host = OperatorHost.RunAsync(cluster.Options("faults", leaderElect: true), seams, NullLoggerFactory.Instance, _stop.Token);
    }

    /// <summary>Calls that every life makes: all but some events, of states that pass too fast for some lives to see.</summary>
    public static IReadOnlyList<string> Calls { get; } =
    [
        "apply crontrainingjobs/status with 0 active",
        "apply crontrainingjobs/status with 1 active",
        "apply leases phi-operator-replica-faults",
        "apply pods cron-0",
        "apply pods cron-1",
        "apply pods cron-a2-1",
        "apply services cron",
        "apply trainingjobs/status Pending attempt 1",
        "apply trainingjobs/status Restarting attempt 2",
        "apply trainingjobs/status Running attempt 1",
        "apply trainingjobs/status Running attempt 2",
        "apply trainingjobs/status Starting attempt 1",
        "apply trainingjobs/status Starting attempt 2",
        "apply trainingjobs/status Succeeded attempt 2",
        "apply trainingjobs/status progress",
        "apply trainingqueues/status with 0 admitted",
        "apply trainingqueues/status with 1 admitted",
        "create events Accepted",
        "create events Completed",
        "create events CreatingPods",
        "create events Placed",
        "create events QuotaReserved",
        "create events RankFailed",
        "create events Scheduled",
        "create leases",
        "create secrets",
        "create tokenreviews",
        "create trainingjobs",
        "delete leases phi-operator-replica-faults",
        "delete pods cron-0",
        "delete pods cron-1",
        "delete pods cron-a2-1",
        "get leases phi-operator",
        "get secrets phi-operator-agent-ca",
        "get secrets phi-operator-agent-tokens",
        "get trainingjobs cron",
        "list crontrainingjobs",
        "list leases phi-orchestrator.io/operator-replica",
        "list nodes",
        "list pods",
        "list priorityclasses",
        "list trainingjobs",
        "list trainingjobs phi-orchestrator.io/cron-name",
        "list trainingqueues",
        "merge leases phi-operator",
        "merge leases release",
        "merge pods cron-0",
        "merge pods cron-1",
        "merge pods cron-a2-1",
        "merge trainingjobs with finalizer",
        "merge trainingjobs without finalizer",
        "patch pods cron-0",
        "patch pods cron-1",
        "patch pods cron-a2-1",
        "watch crontrainingjobs",
        "watch leases phi-orchestrator.io/operator-replica",
        "watch nodes",
        "watch pods",
        "watch priorityclasses",
        "watch trainingjobs",
        "watch trainingjobs phi-orchestrator.io/cron-name",
        "watch trainingqueues",
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private KubernetesConnection Connection => _cluster.Connection;

    private string Cron => $"cron{_number}";

    private string Queue => $"queue{_number}";

    /// <summary>Lives from the start of the operator to its stop; says how the job was when it had ended.</summary>
    public static async Task<string> RunAsync(TestCluster cluster, FaultPlan plan, CancellationToken ct)
    {
        await cluster.Connection.Secrets().DeleteAsync("kube-system", "phi-operator-agent-tokens", null, null, ct);
        await cluster.Connection.Leases().DeleteAsync("kube-system", "phi-operator", null, null, ct);
        await using var life = new FaultLife(cluster, plan);
        return await life.LiveAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _host.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _node.DisposeAsync();
        _stop.Dispose();
    }

    private async Task<string> LiveAsync()
    {
        await SubmitAsync();
        var name = (await UntilAsync("has a job", JobsAsync, jobs => jobs.Count > 0))[0].Metadata.Name!;
        await UntilJobAsync(name, "runs", job => job.Status?.Phase == TrainingPhase.Running);
        await UntilAsync("queue tells of the job", () => Connection.TrainingQueues().GetAsync("", Queue, Ct), queue => queue!.Status is { AdmittedJobs: 1 });
        await _node.EndAsync(name, exitCode: 1, index: 1);
        await UntilJobAsync(name, "runs again", job => job.Status is { Phase: TrainingPhase.Running, Attempt: 2, ReadyReplicas: 2 });
        await _node.EndAsync(name, exitCode: 0);
        var job = await UntilJobAsync(name, "ends", job => job.Status?.Phase is TrainingPhase.Succeeded or TrainingPhase.Failed);
        await UntilAsync("queue is empty", () => Connection.TrainingQueues().GetAsync("", Queue, Ct), queue => queue!.Status is { AdmittedJobs: 0 });
        await UntilAsync("schedule has no active run", () => Connection.CronTrainingJobs().GetAsync("default", Cron, Ct), cron => cron!.Status is { LastScheduleTime: not null, Active: null or { Count: 0 } });
        var end = await DescribeAsync(job);
        await Connection.CronTrainingJobs().DeleteAsync("default", Cron, null, null, Ct);
        await UntilAsync("job is gone", JobsAsync, jobs => jobs.Count == 0);
        await Connection.TrainingQueues().DeleteAsync("", Queue, null, null, Ct);
        await _stop.CancelAsync();
        await _host;
        return end;
    }

    private async Task SubmitAsync()
    {
        await Connection.TrainingQueues().ApplyAsync("", Queue, JsonNode.Parse($$$$"""
            {
              "apiVersion": "phi-orchestrator.io/v1alpha1", "kind": "TrainingQueue", "metadata": {"name": "{{{{Queue}}}}"},
              "spec": {"quotas": [{"acceleratorType": "cpu", "nominal": 2}]}
            }
            """)!.AsObject(), "test", null, Ct);
        var spec = TestCluster.TwoPods();
        spec["queue"] = Queue;
        await Connection.CronTrainingJobs().ApplyAsync("default", Cron, new JsonObject
        {
            ["apiVersion"] = PhiNames.ApiVersion,
            ["kind"] = "CronTrainingJob",
            ["metadata"] = new JsonObject { ["name"] = Cron },
            ["spec"] = new JsonObject { ["schedule"] = "0 0 * * *", ["jobTemplate"] = new JsonObject { ["spec"] = spec } },
        }, "test", null, Ct);
    }

    private async Task<IReadOnlyList<TrainingJob>> JobsAsync() =>
        [.. (await Connection.TrainingJobs().ListAsync("default", $"&labelSelector={Uri.EscapeDataString($"{PhiNames.CronNameLabel}={Cron}")}", Ct)).Items.Select(ResourceJson.Parse<TrainingJob>)];

    private Task<TrainingJob> UntilJobAsync(string name, string what, Func<TrainingJob, bool> isWanted) =>
        UntilAsync($"job {what}", async () => (await _cluster.JobAsync(name))!, isWanted);

    /// <summary>Waits until it is so, for as long as the operator lives and the test may take.</summary>
    private async Task<T> UntilAsync<T>(string what, Func<Task<T>> get, Func<T, bool> isSo)
    {
        while (true)
        {
            var value = await get();
            if (isSo(value))
            {
                return value;
            }

            if (_host.IsCompleted)
            {
                await _host;
                Assert.Fail($"the operator ended before it was so: {what}");
            }

            try
            {
                await Task.Delay(20, Ct);
            }
            catch (OperationCanceledException e)
            {
                throw new TimeoutException($"never so: {what}; it is {ResourceJson.Write(value).ToJsonString()}", e);
            }
        }
    }

    private async Task<string> DescribeAsync(TrainingJob job)
    {
        var status = job.Status!;
        var pods = (await _node.PodsAsync(job.Metadata.Name!)).Select(pod => $"{pod.Metadata.Labels[PhiNames.ReplicaIndexLabel]}:{pod.Status.Phase}").Order(StringComparer.Ordinal);
        var finished = status.Conditions!.Find(condition => condition is { Type: TrainingConditions.Finished, Status: "True" });
        var service = await Connection.Services().GetAsync("default", job.Metadata.Name!, Ct);
        var cron = (await Connection.CronTrainingJobs().GetAsync("default", Cron, Ct))!;
        var queue = (await Connection.TrainingQueues().GetAsync("", Queue, Ct))!;
        return $"{status.Phase} attempt {status.Attempt} restarts {status.Restarts} free {status.FreeRestarts} finished {finished?.Reason}; pods {string.Join(' ', pods)}; {(service is null ? "no service" : "service")}; "
            + $"{job.Metadata.Finalizers!.Count} finalizer; {(await JobsAsync()).Count} run, {cron.Status!.Active?.Count ?? 0} active; queue admits {queue.Status!.AdmittedJobs} of {queue.Status.PendingJobs + queue.Status.AdmittedJobs}";
    }
}
