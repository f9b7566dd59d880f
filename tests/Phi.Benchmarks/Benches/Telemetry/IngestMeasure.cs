using System.Diagnostics;
using Phi.Api.Agent;
using Phi.Benchmarks.Reports;
using Phi.Telemetry.Store;

namespace Phi.Benchmarks.Benches.Telemetry;

/// <summary>Flushes of 10 points of each of 500 series, one after the other, each committed.</summary>
internal static class IngestMeasure
{
    private const int Ranks = 50;
    private const int Metrics = 10;
    private const int StepsPerFlush = 10;
    private const int WarmUp = 20;
    private const int Flushes = 200;

    public static async Task<IReadOnlyList<Metric>> RunAsync(IStoreHost host)
    {
        await using var store = await TelemetryStore.OpenAsync(host.Address, TimeProvider.System, CancellationToken.None);
        Console.Error.WriteLine($"{host.Title}: storing {Flushes * StepsPerFlush * Ranks * Metrics:N0} points …");
        for (var flush = 0; flush < WarmUp; flush++)
        {
            await store.IngestAsync(Batch(flush), CancellationToken.None);
        }

        var batches = Enumerable.Range(WarmUp, Flushes).Select(Batch).ToList();
        var started = Stopwatch.GetTimestamp();
        foreach (var batch in batches)
        {
            await store.IngestAsync(batch, CancellationToken.None);
        }

        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return [Metric.AtLeast($"{host.Title}: points stored, {Ranks * Metrics} series × {StepsPerFlush} points a flush, roll-ups included", Flushes * StepsPerFlush * Ranks * Metrics / seconds, "points/s", 100_000)];
    }

    private static EventBatch Batch(int flush) => new()
    {
        Namespace = "bench",
        Job = "ingest",
        JobUid = "ingest",
        Attempt = 1,
        Steps =
        [
            .. from rank in Enumerable.Range(0, Ranks)
               from step in Enumerable.Range(flush * StepsPerFlush + 1, StepsPerFlush)
               select Curves.Step(rank, step, Metrics),
        ],
    };
}
