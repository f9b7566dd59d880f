using System.Globalization;
using Phi.Postgres;
using Phi.Telemetry.Store;

namespace Phi.EndToEnd.Tests;

/// <summary>A cluster whose telemetry is in PostgreSQL, which is away while a job trains.</summary>
public sealed class TelemetryOutageTests : IAsyncLifetime
{
    private const string Job = "outage";
    private const int Ranks = 4;

    /// <summary>Steps that must be trained after the database is back.</summary>
    private const long More = 100;

    /// <summary>Steps that must be trained without it; with PHI_FAULTS=all so many that it is away for half a minute at 130 steps a second.</summary>
    private static readonly long Without = Environment.GetEnvironmentVariable("PHI_FAULTS") == "all" ? 4000 : 100;
    private readonly PostgresServer _database = new();
    private string _address = "";
    private PhiCluster _cluster = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _address = _database.CreateDatabase();
        _cluster = await PhiCluster.StartAsync(telemetry: _address);
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _database.Dispose();
    }

    /// <summary>Away until agents of both pods wrote to their disks and trained on.</summary>
    [Fact]
    public async Task Job_WhoseDatabaseIsAway_TrainsOnAndHasEveryPointOfEveryRankOnce()
    {
        await _cluster.ApplyAsync(Manifests.Tiny(Job, Manifests.WriteCorpus(_cluster.Work), steps: 1_000_000, everySteps: 1000));
        await _cluster.WaitForStepAsync(Job, 20);

        _database.Stop();
        var stopped = await TrainedAsync();
        await UntilSaidAsync("they wait in ");
        await UntilAsync(async () => await TrainedAsync() >= stopped + Without, "training without the database");
        _database.Start();
        await UntilSaidAsync("the events that waited are all sent\n");

        // How far it came meanwhile is the machine's affair; so is where it ends.
        var last = await StopAsync() + More;
        await PatchAsync(string.Create(CultureInfo.InvariantCulture, $$"""{"spec": {"suspend": false, "phi": {"steps": {{last}} } } }"""));
        var job = await _cluster.WaitForSuccessAsync(Job);
        await AssertWholeAsync((string)job["metadata"]!["uid"]!, last);
    }

    /// <summary>The step at which it is saved.</summary>
    private async Task<long> StopAsync()
    {
        Assert.Equal(1, (int)(await _cluster.JobAsync(Job))["status"]!["attempt"]!);
        await PatchAsync("""{"spec": {"suspend": true}}""");
        var job = await _cluster.WaitForAsync(Job, job => (string?)job["status"]?["phase"] == "Suspended", "suspension");
        return (long)job["status"]!["checkpoint"]!["step"]!;
    }

    private async Task PatchAsync(string patch)
    {
        var result = await _cluster.KubectlAsync("patch", "tj", Job, "--type", "merge", "--patch", patch);
        Assert.True(result.ExitCode == 0, result.ToString());
    }

    private async Task AssertWholeAsync(string run, long steps)
    {
        await using var store = await TelemetryStore.OpenAsync(_address, TimeProvider.System, Ct);
        var detail = (await store.RunAsync(run, Ct))!;
        Assert.Equal([0], detail.Metrics.Single(metric => metric.Metric == "loss").Ranks);
        Assert.Equal(Enumerable.Range(0, Ranks), detail.Metrics.Single(metric => metric.Metric == "step_seconds").Ranks);
        foreach (var metric in detail.Metrics)
        {
            foreach (var rank in metric.Ranks)
            {
                var points = await store.PointsAsync(run, metric.Metric, rank, Ct);
                Assert.True(points.Select(point => point.Step).SequenceEqual(Enumerable.Range(1, (int)steps).Select(step => (long)step)), $"{metric.Metric} of rank {rank} has {points.Count} points of {steps} steps, from {points[0].Step} to {points[^1].Step}");
            }
        }
    }

    /// <summary>The newest step in rank 0's log.</summary>
    private async Task<long> TrainedAsync()
    {
        var line = (await LogAsync(0)).Split('\n').Last(line => line.StartsWith("step ", StringComparison.Ordinal));
        return long.Parse(line.AsSpan()[5..line.IndexOf('/', StringComparison.Ordinal)], CultureInfo.InvariantCulture);
    }

    private Task UntilSaidAsync(string text) =>
        UntilAsync(async () => (await LogAsync(0)).Contains(text, StringComparison.Ordinal) && (await LogAsync(1)).Contains(text, StringComparison.Ordinal), $"'{text}' in both pods' logs");

    private async Task<string> LogAsync(int pod) => (await _cluster.KubectlAsync("logs", $"{Job}-{pod}")).Output;

    private async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        while (!await condition())
        {
            Assert.False(deadline.IsCancellationRequested, deadline.IsCancellationRequested ? $"no {what}\n{await LogAsync(0)}\n{await _cluster.EvidenceAsync()}" : "");
        }
    }
}
