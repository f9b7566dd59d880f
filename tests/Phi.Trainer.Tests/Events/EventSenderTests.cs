using System.Collections.Concurrent;
using Phi.Api.Agent;
using Phi.Telemetry.Store;
using Phi.Trainer.Agent;
using Phi.Trainer.Agent.Events;

namespace Phi.Trainer.Tests.Events;

/// <summary>An agent's events and an operator that is away for a while.</summary>
public sealed class EventSenderTests : IDisposable
{
    private static readonly AssignmentRequest Self = new() { Namespace = "default", Job = "job", JobUid = "uid", Pod = "job-0", PodUid = "pod", PodIp = "127.0.0.1", ReplicaIndex = 0 };

    /// <summary>At once to the disk, and soon again to the operator.</summary>
    private static readonly EventOptions Eager = new()
    {
        Gather = TimeSpan.FromMilliseconds(1),
        RetryDelay = TimeSpan.FromMilliseconds(1),
        LongestRetryDelay = TimeSpan.FromMilliseconds(20),
        SpillPeriod = TimeSpan.FromMilliseconds(1),
        SpillAfter = TimeSpan.Zero,
        SegmentBytes = 2000,
    };

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly string _folder = Directory.CreateTempSubdirectory("phi sender ").FullName;
    private readonly List<OperatorClient> _clients = [];
    private readonly ConcurrentQueue<string> _log = new();
    private readonly ConcurrentQueue<long> _steps = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _clients.ForEach(client => client.Dispose());
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Events_OperatorThatLeavesAndComesBack_AreAllTakenInOrder()
    {
        await using var there = new FakeOperator(TakeAsync);
        await there.ComeAsync();
        await using (var sender = Start(there.Url))
        {
            Add(sender, 1, 100);
            await UntilAsync(() => _steps.Contains(100));

            await there.LeaveAsync();
            Add(sender, 101, 200);
            await UntilAsync(() => SpooledBytes() > 0);
            Add(sender, 301, 200);
            await there.ComeAsync();
            Add(sender, 501, 100);
            await sender.FlushAsync(Patience);

            await there.LeaveAsync();
        }

        AssertAllInOrder(600);
        Assert.Equal(0, SpooledBytes());
    }

    [Fact]
    public async Task Events_AgentThatStartsAgain_AreSentByTheNextOne()
    {
        await using var there = new FakeOperator(TakeAsync);
        await using (var first = Start(there.Url))
        {
            Add(first, 1, 300);
            await first.FlushAsync(TimeSpan.Zero);
        }

        Assert.NotEqual(0, SpooledBytes());
        Assert.Contains(_log, line => line.Contains("were not delivered within 0 s", StringComparison.Ordinal));
        await there.ComeAsync();
        await using (var second = Start(there.Url))
        {
            Add(second, 301, 10);
            await second.FlushAsync(Patience);
        }

        AssertAllInOrder(310);
    }

    [Theory]
    [InlineData(422)]
    [InlineData(413)]
    public async Task Events_OneThatIsRefused_IsDroppedAlone(int code)
    {
        await using var there = new FakeOperator(batch => batch.Steps.Any(step => step.Step == 77) ? Task.FromResult(code) : TakeAsync(batch));
        await using (var sender = Start(there.Url))
        {
            Add(sender, 1, 300);
            await UntilAsync(() => SpooledBytes() > 0);
            await there.ComeAsync();
            await sender.FlushAsync(Patience);
        }

        Assert.Equal(Enumerable.Range(1, 300).Select(step => (long)step).Where(step => step != 77), _steps.Distinct());
        Assert.Contains(_log, line => line.StartsWith($"1 events dropped: the operator refused ({code})", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Events_AllRefused_AreDroppedInAFewRequests()
    {
        var requests = 0;
        await using var there = new FakeOperator(_ => Task.FromResult(Interlocked.Increment(ref requests) > 0 ? 422 : 0));
        await using (var sender = Start(there.Url))
        {
            Add(sender, 1, 1000);
            await UntilAsync(() => SpooledBytes() > 0);
            await there.ComeAsync();
            await sender.FlushAsync(Patience);
        }

        Assert.InRange(requests, 1, 100);
        Assert.Equal(0, SpooledBytes());
    }

    /// <summary>The answer to what was stored is lost, so it is sent again; the store has each point once.</summary>
    [Fact]
    public async Task Events_ReplayedIntoAStore_AreThereOnce()
    {
        await using var store = await TelemetryStore.OpenAsync(Path.Combine(_folder, "telemetry.db"), TimeProvider.System, Ct);
        var (batches, stored) = (0, 0);
        await using var there = new FakeOperator(async batch =>
        {
            await store.IngestAsync(batch, Ct);
            Interlocked.Add(ref stored, batch.Steps.Count);
            return Interlocked.Increment(ref batches) % 3 == 0 ? 200 : 500;
        });
        await using (var sender = Start(there.Url))
        {
            Add(sender, 1, 500);
            await UntilAsync(() => SpooledBytes() > 0);
            await there.ComeAsync();
            Add(sender, 501, 500);
            await sender.FlushAsync(Patience);
        }

        Assert.True(stored > 1000, $"{stored} steps were stored, none of them twice");
        var points = await store.PointsAsync("uid", "tokens", 0, Ct);
        Assert.Equal(Enumerable.Range(1, 1000).Select(step => (step, step * 64.0)), points.Select(point => ((int)point.Step, point.Value)));
    }

    private EventSender Start(Uri url) => new(Client(url), Self, Path.Combine(_folder, "events"), Eager, TimeProvider.System, _log.Enqueue);

    private OperatorClient Client(Uri url)
    {
        _clients.Add(new OperatorClient(url, () => "token", ""));
        return _clients[^1];
    }

    private Task<int> TakeAsync(EventBatch batch)
    {
        foreach (var step in batch.Steps)
        {
            _steps.Enqueue(step.Step);
        }

        return Task.FromResult(200);
    }

    private static void Add(EventSender sender, int first, int count)
    {
        for (var step = first; step < first + count; step++)
        {
            sender.Add(1, TestEvents.Step(step));
        }
    }

    /// <summary>Of the steps as they came: the first time of each is after the first time of the one before.</summary>
    private void AssertAllInOrder(int steps) => Assert.Equal(Enumerable.Range(1, steps).Select(step => (long)step), _steps.Distinct());

    private long SpooledBytes()
    {
        var folder = new DirectoryInfo(Path.Combine(_folder, "events"));
        return folder.Exists ? folder.GetFiles().Sum(file => file.Exists ? file.Length : 0) : 0;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            Ct.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
