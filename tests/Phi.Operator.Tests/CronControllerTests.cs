using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Phi.Api.Crds;
using Phi.Api.CronTrainingJobs;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.LocalCluster.ApiServer;
using Phi.Operator.Cron;
using Phi.Operator.Events;
using Phi.Operator.Metrics;
using Phi.Operator.Tests.Cluster;

namespace Phi.Operator.Tests;

/// <summary>The controller against the embedded API server, on a clock that the test moves.</summary>
public sealed class CronControllerTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("phi cron ").FullName;
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly OperatorMetrics _metrics = new();
    private readonly List<(CancellationTokenSource Stop, Task Run)> _controllers = [];
    private ApiServerHost _server = null!;
    private KubernetesConnection _connection = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var kubeconfig = Path.Combine(_folder, "kubeconfig");
        _server = await ApiServerHost.StartAsync(new ApiServerOptions { DataDirectory = Path.Combine(_folder, "data"), AdminToken = "token", KubeconfigPath = kubeconfig, CrdManifests = CrdCatalog.All }, Ct);
        _connection = KubernetesConnection.Open(kubeconfig, "test");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var controller in _controllers.ToList())
        {
            await StopAsync(controller);
        }

        _connection.Dispose();
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task RunAsync_AtADueTime_CreatesTheJobAndSaysSo()
    {
        await CreateAsync("hourly", "@hourly");
        Start();
        var first = await WaitAsync("hourly", cron => cron.Status?.NextScheduleTime is not null);

        _time.SetUtcNow(first.Status!.NextScheduleTime!.Value);
        var after = await WaitAsync("hourly", cron => cron.Status?.LastScheduleTime == first.Status.NextScheduleTime);

        var job = Assert.Single(await JobsAsync());
        Assert.Equal([job.Metadata.Name!], after.Status!.Active);
        Assert.Equal(first.Status.NextScheduleTime.Value.AddHours(1), after.Status.NextScheduleTime);
        Assert.Equal(8, job.Spec.Accelerator!.PerReplica);
        Assert.Contains(await EventsAsync("hourly"), entry => entry.StartsWith($"Normal Scheduled created job {job.Metadata.Name} for ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task RunAsync_RestartedAndTwiceAtOnce_CreatesEachJobOnce()
    {
        await CreateAsync("hourly", "@hourly", "Allow");
        await StopAsync(Start());
        _time.Advance(TimeSpan.FromHours(3));
        Start();
        var status = (await WaitAsync("hourly", cron => cron.Status?.LastScheduleTime is not null)).Status!;
        var due = status.LastScheduleTime!.Value;
        Assert.Equal(2, status.MissedRuns);

        Start();
        _time.SetUtcNow(due.AddHours(1));
        await WaitAsync("hourly", cron => cron.Status?.LastScheduleTime == due.AddHours(1));

        Assert.Equal([due, due.AddHours(1)], (await JobsAsync()).Select(CronTemplate.ScheduledTime).Order());
    }

    [Fact]
    public async Task RunAsync_LeadingForTheSecondTime_LooksAtEveryScheduleAgain()
    {
        await CreateAsync("hourly", "@hourly");
        var replica = NewReplica();
        var first = Start(replica);
        var due = (await WaitAsync("hourly", cron => cron.Status?.NextScheduleTime is not null)).Status!.NextScheduleTime!.Value;
        await StopAsync(first);

        _time.SetUtcNow(due);
        Start(replica);

        await WaitAsync("hourly", cron => cron.Status?.LastScheduleTime == due);
        Assert.Single(await JobsAsync());
    }

    [Fact]
    public async Task RunAsync_NameTakenByAnotherJob_SaysThatNothingWasCreated()
    {
        var cron = await CreateAsync("hourly", "@hourly");
        var due = new DateTimeOffset(_time.GetUtcNow().UtcDateTime.Date.AddHours(_time.GetUtcNow().Hour + 1), TimeSpan.Zero);
        var foreign = CronTemplate.Scheduled(cron, due);
        (foreign.Metadata.OwnerReferences, foreign.Metadata.Labels) = (null, null);
        await _connection.TrainingJobs().CreateAsync("default", foreign, "test", Ct);

        _time.SetUtcNow(due);
        Start();
        var after = await WaitAsync("hourly", seen => seen.Status?.Conditions?[0].Reason == "FailedCreate");

        Assert.StartsWith($"job {foreign.Metadata.Name} was not created, and is tried again: ", after.Status!.Conditions![0].Message, StringComparison.Ordinal);
        Assert.Null(after.Status.LastScheduleTime);
    }

    [Fact]
    public async Task RunAsync_InvalidZone_IsAConditionUntilItIsMended()
    {
        await CreateAsync("broken", "@hourly", zone: "Mars/Olympus");
        Start();
        var broken = await WaitAsync("broken", cron => cron.Status?.Conditions is not null);
        Assert.Equal("spec.timeZone: Mars/Olympus: must be an IANA time zone that the operator's machine knows; write one such as Etc/UTC or Europe/Zurich", broken.Status!.Conditions![0].Message);

        await _connection.CronTrainingJobs().MergePatchAsync("default", "broken", new JsonObject { ["spec"] = new JsonObject { ["timeZone"] = "Europe/Zurich" } }, "test", null, Ct);

        await WaitAsync("broken", cron => cron.Status?.Conditions?[0] is { Status: "True", Reason: "Scheduled" });
    }

    [Fact]
    public async Task RunAsync_StatusWrittenByAnotherOperatorMeanwhile_IsNotOverwritten()
    {
        await CreateAsync("hourly", "@hourly");
        var late = new BeforeHandler(request => request.Method == HttpMethod.Patch && request.RequestUri!.AbsolutePath.EndsWith("/hourly/status", StringComparison.Ordinal), () =>
            _connection.CronTrainingJobs().MergePatchAsync("default", "hourly", new JsonObject { ["status"] = new JsonObject { ["missedRuns"] = 7 } }, "another", "status", Ct));
        using var stale = KubernetesConnection.Open(Path.Combine(_folder, "kubeconfig"), "stale", late);

        var controller = Start(NewReplica(stale));
        await WaitAsync("hourly", cron => cron.Status?.NextScheduleTime is not null);
        await StopAsync(controller);

        var status = (await _connection.CronTrainingJobs().GetAsync("default", "hourly", Ct))!.Status!;
        Assert.Equal((1, 7), (late.Count, status.MissedRuns));
    }

    private (CancellationTokenSource Stop, Task Run) Start((EventRecorder Events, CronController Crons)? replica = null)
    {
        var stop = new CancellationTokenSource();
        var controller = (stop, RunAsync(replica ?? NewReplica(), stop.Token));
        _controllers.Add(controller);
        return controller;
    }

    /// <summary>As the leader runs it: the recorder of events beside the controller.</summary>
    private static async Task RunAsync((EventRecorder Events, CronController Crons) replica, CancellationToken ct) =>
        await await Task.WhenAny(replica.Events.RunAsync(ct), replica.Crons.RunAsync(ct));

    private (EventRecorder Events, CronController Crons) NewReplica(KubernetesConnection? connection = null)
    {
        var events = new EventRecorder(new EventWriter(_connection, "test"), _metrics, _time, NullLogger.Instance);
        return (events, new CronController(connection ?? _connection, events, _time, NullLogger.Instance));
    }

    private async Task StopAsync((CancellationTokenSource Stop, Task Run) controller)
    {
        _controllers.Remove(controller);
        await controller.Stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => controller.Run);
        controller.Stop.Dispose();
    }

    private Task<CronTrainingJob> CreateAsync(string name, string schedule, string policy = "Forbid", string zone = "Etc/UTC") => _connection.CronTrainingJobs().CreateAsync("default", new CronTrainingJob
    {
        Metadata = new ObjectMeta { Name = name, Namespace = "default" },
        Spec = new CronTrainingJobSpec
        {
            Schedule = schedule,
            TimeZone = zone,
            ConcurrencyPolicy = policy,
            JobTemplate = new TrainingJobTemplate { Spec = new TrainingJobSpec { Phi = new PhiSpec { Steps = 10, Data = new DataSpec { Sources = ["/x"], Tokenizer = new TokenizerSpec { Bytes = new() } } } } },
        },
    }, "test", Ct);

    private async Task<CronTrainingJob> WaitAsync(string name, Func<CronTrainingJob, bool> condition)
    {
        while (true)
        {
            if (await _connection.CronTrainingJobs().GetAsync("default", name, Ct) is { } cron && condition(cron))
            {
                return cron;
            }

            Assert.All(_controllers, controller => Assert.False(controller.Run.IsCompleted, controller.Run.Exception?.ToString()));
            await Task.Yield();
        }
    }

    private async Task<IReadOnlyList<TrainingJob>> JobsAsync() => [.. (await _connection.TrainingJobs().ListAsync("default", null, Ct)).Items.Select(ResourceJson.Parse<TrainingJob>)];

    /// <summary>An event is written after the status that it tells of, so it may come a little later.</summary>
    private async Task<IReadOnlyList<string>> EventsAsync(string name)
    {
        while (true)
        {
            var events = (await _connection.Events().ListAsync("default", null, Ct)).Items.Where(entry => (string?)entry["involvedObject"]!["name"] == name).Select(entry => $"{entry["type"]} {entry["reason"]} {entry["message"]}").ToList();
            if (events.Count > 0)
            {
                return events;
            }

            await Task.Yield();
        }
    }
}
