using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Phi.Api.Metadata;
using Phi.Kubernetes;
using Phi.Operator.Events;
using Phi.Operator.Metrics;
using Phi.Operator.Tests.Cluster;

namespace Phi.Operator.Tests;

/// <summary>Events on a real API server, at the pace of a clock that the test moves.</summary>
public sealed class EventRecorderTests : IClassFixture<TestCluster>, IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly TestCluster _cluster;
    private readonly OperatorMetrics _metrics = new();
    private readonly EventRecorder _recorder;
    private readonly Task _loop;

    public EventRecorderTests(TestCluster cluster)
    {
        _cluster = cluster;
        _recorder = new EventRecorder(new EventWriter(cluster.Connection, "test"), _metrics, _time, NullLogger.Instance);
        _loop = _recorder.RunAsync(_stop.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    [Fact]
    public async Task Record_TheSameAgainAndAgain_IsNoNews()
    {
        var subject = Subject("same");
        _recorder.Record(subject, false, "Placed", "two pods placed");
        _recorder.Record(subject, false, "Placed", "two pods placed");
        _recorder.Record(subject, false, "Training", "attempt 1 is training");

        var events = await UntilAsync(subject, events => events.Count == 2);

        Assert.All(events, value => Assert.Equal(1, value.Count));
    }

    [Fact]
    public async Task Record_BackAndForth_RaisesTheCountOfTheFirst()
    {
        var subject = Subject("repeated");
        _recorder.Record(subject, false, "Waiting", "1 of 2 pods");
        _recorder.Record(subject, false, "Training", "attempt 1 is training");
        _time.Advance(TimeSpan.FromMinutes(1));
        _recorder.Record(subject, false, "Waiting", "1 of 2 pods");
        var events = await UntilAsync(subject, events => events.Exists(value => value.Count == 2));

        Assert.Equal(2, events.Count);
        var waiting = events.Find(value => value.Reason == "Waiting")!;
        Assert.Equal(TimeSpan.FromMinutes(1), waiting.LastTimestamp - waiting.FirstTimestamp);

        _recorder.Record(subject, false, "Training", "attempt 1 is training");
        _time.Advance(TimeSpan.FromMinutes(11));
        _recorder.Record(subject, false, "Waiting", "1 of 2 pods");
        await UntilAsync(subject, events => events.Count(value => value.Reason == "Waiting") == 2);
    }

    [Fact]
    public async Task Record_MoreThanTheBurst_WaitsAndLetsWarningsFirst()
    {
        var subject = Subject("many");
        for (var i = 0; i < 40; i++)
        {
            _recorder.Record(subject, false, "Told", $"message {i}");
        }

        await UntilAsync(subject, events => events.Count == 25);
        _recorder.Record(subject, true, "RankFailed", "rank 1 failed with exit code 1");
        _time.Advance(TimeSpan.FromMilliseconds(110));

        var events = await UntilAsync(subject, events => events.Count == 26);
        Assert.Single(events, value => value is { Type: "Warning", Reason: "RankFailed" });
        _time.Advance(TimeSpan.FromSeconds(1.6));
        await UntilAsync(subject, events => events.Count == 41);
    }

    [Fact]
    public async Task Record_OfAClusterScopedObject_IsInTheDefaultNamespace()
    {
        var subject = new EventSubject(PhiNames.ApiVersion, "TrainingQueue", "", "research", "uid-research");
        _recorder.Record(subject, false, "Borrowing", "4 accelerators are borrowed");

        var value = Assert.Single(await UntilAsync(subject, events => events.Count == 1));

        Assert.Equal(("default", "TrainingQueue", "research"), (value.Metadata.NamespaceProperty, value.InvolvedObject.Kind, value.InvolvedObject.Name));
    }

    [Fact]
    public void Add_ToAFullBuffer_DropsTheOldestNormalEventAndNeverAWarningForOne()
    {
        var buffer = new EventBuffer(2);
        var (normal, warning) = (Pending(false, "a"), Pending(true, "b"));
        Assert.Null(buffer.Add(normal));
        Assert.Null(buffer.Add(warning));

        Assert.Same(normal, buffer.Add(Pending(true, "c")));
        var late = Pending(false, "d");
        Assert.Same(late, buffer.Add(late));
        Assert.Same(warning, buffer.Add(Pending(true, "e")));
        Assert.Equal(["c", "e"], new[] { buffer.Take()!.Message, buffer.Take()!.Message });
        Assert.Null(buffer.Take());
    }

    private static EventSubject Subject(string name) => new(PhiNames.ApiVersion, "TrainingJob", "default", name, $"uid-{name}");

    private static PendingEvent Pending(bool isWarning, string message) => new(Subject("x"), isWarning, "Reason", message, default);

    private async Task<List<Corev1Event>> UntilAsync(EventSubject subject, Func<List<Corev1Event>, bool> isWanted)
    {
        while (true)
        {
            var events = (await _cluster.Connection.Events().ListAsync(null, $"&fieldSelector=involvedObject.name%3D{subject.Name}", _stop.Token)).Items.Select(ResourceJson.Parse<Corev1Event>).ToList();
            if (isWanted(events))
            {
                return events;
            }

            await Task.Delay(10, _stop.Token);
        }
    }
}
