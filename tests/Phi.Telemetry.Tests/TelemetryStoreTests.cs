using Phi.Api.Agent;
using Phi.Telemetry.Store;
using Xunit;

namespace Phi.Telemetry.Tests;

/// <summary>The store on a real SQLite file.</summary>
public sealed class TelemetryStoreTests : IAsyncLifetime
{
    private const string Run = "11111111-2222-3333-4444-555555555555";
    private readonly string _folder = Directory.CreateTempSubdirectory("phi telemetry ").FullName;
    private TelemetryStore? _store;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _store = await TelemetryStore.OpenSqliteAsync(Path.Combine(_folder, "telemetry.db"), Ct);

    public async ValueTask DisposeAsync()
    {
        await _store!.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Ingest_SentTwice_IsStoredOnce()
    {
        var batch = Batch(1, 1, 50, step => 5 - step / 100.0);
        await _store!.IngestAsync(batch, Ct);
        await _store.IngestAsync(batch, Ct);

        var curve = await _store.CurveAsync(Run, "loss", 0, 1000, Ct);

        Assert.Equal(50, curve.Points);
        Assert.Equal(Enumerable.Range(1, 50).Select(step => 5 - step / 100.0), curve.Average);
        Assert.Equal(["loss"], await _store.MetricsAsync(Run, Ct));
    }

    [Fact]
    public async Task Curve_AfterARewind_TakesTheLaterAttemptAndCountsLostSteps()
    {
        await _store!.IngestAsync(Batch(1, 1, 137, _ => 1), Ct);
        await _store.IngestAsync(Batch(2, 101, 120, _ => 2), Ct);

        var curve = await _store.CurveAsync(Run, "loss", 0, 1000, Ct);

        Assert.Equal(120, curve.Points);
        Assert.Equal(1, curve.Last[99]);
        Assert.Equal(2, curve.Last[100]);
        Assert.Equal([(1, 1L, 37L), (2, 101L, 0L)], curve.Attempts.Select(range => (range.Attempt, range.FirstStep, range.LostSteps)));
    }

    [Fact]
    public async Task Curve_LongerThanTheBuckets_KeepsExtremesAndTheLastStep()
    {
        await _store!.IngestAsync(Batch(1, 1, 1000, step => step == 500 ? 99 : 1), Ct);

        var curve = await _store.CurveAsync(Run, "loss", 0, 100, Ct);

        Assert.Equal(100, curve.Steps.Count);
        Assert.Equal(99, curve.Maximum.Max());
        Assert.Equal(1000, curve.Steps[^1]);
    }

    [Fact]
    public async Task Curve_ValuesThatAreNotFinite_AreListedApart()
    {
        await _store!.IngestAsync(Batch(1, 1, 3, step => step == 2 ? double.NaN : 1), Ct);

        var curve = await _store.CurveAsync(Run, "loss", 0, 100, Ct);

        Assert.Equal([1, 3], curve.Steps);
        Assert.Equal([2], curve.NonFiniteSteps);
    }

    [Fact]
    public async Task Checkpoints_AreListedNewestFirst()
    {
        await _store!.IngestAsync(
            new EventBatch
            {
                Namespace = "default", Job = "job", JobUid = Run, Attempt = 1,
                Checkpoints = [Checkpoint(50), Checkpoint(100)],
            },
            Ct);

        var stored = await _store.CheckpointsAsync(Run, Ct);
        Assert.Equal([100, 50], stored.Select(checkpoint => checkpoint.Step));
        Assert.Equal((0.5, 0.125), (stored[0].Seconds, stored[0].StallSeconds));
    }

    private static CheckpointEvent Checkpoint(long step) => new() { Step = step, Time = DateTimeOffset.UnixEpoch, Uri = $"file:///c/step-{step}", Bytes = 10, Seconds = 0.5, StallSeconds = 0.125 };

    private static EventBatch Batch(int attempt, long from, long to, Func<long, double> loss) => new()
    {
        Namespace = "default",
        Job = "job",
        JobUid = Run,
        Attempt = attempt,
        Steps = [.. Enumerable.Range(0, (int)(to - from + 1)).Select(i => new StepEvent { Rank = 0, Step = from + i, Time = DateTimeOffset.UnixEpoch.AddSeconds(i), Metrics = new Dictionary<string, double> { ["loss"] = loss(from + i) } })],
    };
}
