using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Phi.Api.Agent;
using Phi.Kubernetes;
using Phi.Operator.Metrics;
using Phi.Operator.Retention;
using Phi.Operator.Tests.Cluster;
using Phi.Telemetry.Audit;
using Phi.Telemetry.Store;

namespace Phi.Operator.Tests;

/// <summary>What goes from the telemetry store, and when, on a clock that the test moves.</summary>
public sealed class TelemetryRetentionTests(TestCluster cluster) : IClassFixture<TestCluster>, IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromDays(90);
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly string _folder = Directory.CreateTempSubdirectory("phi retention ").FullName;
    private readonly OperatorMetrics _metrics = new();
    private TelemetryStore _store = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _store = await TelemetryStore.OpenAsync(Path.Combine(_folder, "telemetry.db"), TimeProvider.System, Ct);

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Sweep_RemovesOldRunsWithoutAJobAndOldAuditEntries()
    {
        await RunAsync("gone-old", 100);
        await RunAsync("gone-young", 89);
        await RunAsync("there-old", 100);
        foreach (var days in new[] { 100, 80 })
        {
            await _store.AuditAsync(new AuditEntry(_time.GetUtcNow().AddDays(-days), "ada", "admin", "delete", "default", "TrainingJob", $"{days}", "Done", ""), Ct);
        }

        Assert.True(await Sweeper(["there-old"]).SweepIfDueAsync(Ct));

        Assert.Equal(["gone-young", "there-old"], await RunsAsync());
        Assert.Equal("80", Assert.Single(await _store.AuditsAsync(null, null, 10, Ct)).Name);
        using var text = new MemoryStream();
        await _metrics.Registry.CollectAndExportAsTextAsync(text, Ct);
        Assert.Contains("phi_telemetry_runs_removed_total 1\n", System.Text.Encoding.UTF8.GetString(text.ToArray()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sweep_BeforeADayIsOver_IsNotDueForAnyReplica()
    {
        Assert.True(await Sweeper([]).SweepIfDueAsync(Ct));
        await RunAsync("gone-old", 100);

        _time.Advance(TimeSpan.FromHours(23));
        Assert.False(await Sweeper([]).SweepIfDueAsync(Ct));
        Assert.Equal(["gone-old"], await RunsAsync());

        _time.Advance(TimeSpan.FromHours(1));
        Assert.True(await Sweeper([]).SweepIfDueAsync(Ct));
        Assert.Empty(await RunsAsync());
    }

    [Fact]
    public async Task Sweep_ThatFails_IsDueAgain()
    {
        await RunAsync("gone-old", 100);
        await Assert.ThrowsAsync<HttpRequestException>(() => Sweeper(_ => throw new HttpRequestException()).SweepIfDueAsync(Ct));

        Assert.True(await Sweeper([]).SweepIfDueAsync(Ct));
        Assert.Empty(await RunsAsync());
    }

    [Fact]
    public async Task RunAsync_WhenOverdue_SweepsSoonAfterTheStartAndKeepsRunsOfJobsThatExist()
    {
        var job = await cluster.SubmitAsync("kept");
        await RunAsync(job.Metadata.Uid!, 100);
        await RunAsync("gone-old", 100);
        using var stop = new CancellationTokenSource();
        var controller = Controller(Limit).RunAsync(stop.Token);

        // Each look moves the clock, for Quartz begins to wait when it likes.
        while (await _store.Retention.LastSweepAsync(Ct) is null)
        {
            Assert.False(controller.IsCompleted, controller.Exception?.ToString());
            _time.Advance(TimeSpan.FromSeconds(10));
            await Task.Yield();
        }

        Assert.Equal([job.Metadata.Uid!], await RunsAsync());
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => controller);
    }

    [Fact]
    public async Task RunAsync_WithoutALimit_KeepsEverything()
    {
        using var stop = new CancellationTokenSource();
        var controller = Controller(TimeSpan.Zero).RunAsync(stop.Token);

        Assert.False(controller.IsCompleted);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => controller);
    }

    private TelemetrySweeper Sweeper(IReadOnlyCollection<string> jobs) => Sweeper(_ => Task.FromResult<IReadOnlySet<string>>(jobs.ToHashSet()));

    private TelemetrySweeper Sweeper(Func<CancellationToken, Task<IReadOnlySet<string>>> jobs) => new(_store, Limit, jobs, _metrics, _time, NullLogger.Instance);

    private RetentionController Controller(TimeSpan limit) => new(cluster.Connection, NamespaceScope.Everywhere, _store, limit, _metrics, _time, NullLogger.Instance);

    private async Task<IEnumerable<string>> RunsAsync() => (await _store.Retention.RunsAsync(Ct)).Select(run => run.Run).Order(StringComparer.Ordinal);

    private Task RunAsync(string run, int daysAgo) => _store.IngestAsync(
        RunProgressBed.Batch(1, [new StepEvent { Rank = 0, Step = 1, Time = _time.GetUtcNow().AddDays(-daysAgo), Metrics = new Dictionary<string, double> { ["loss"] = 1 } }], run), Ct);
}
