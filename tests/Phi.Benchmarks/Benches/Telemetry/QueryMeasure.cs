using System.Diagnostics;
using Phi.Api.Agent;
using Phi.Benchmarks.Reports;
using Phi.Telemetry.Series;
using Phi.Telemetry.Store;

namespace Phi.Benchmarks.Benches.Telemetry;

/// <summary>Ten series of 1,000,000 steps, of which ranges of every length are read.</summary>
internal static class QueryMeasure
{
    private const string Run = "query";
    private const int Metrics = 10;
    private const int Steps = 1_000_000;
    private const int StepsPerFlush = 100;
    private const int Buckets = 2000;
    private const int Warm = 400;
    private const int Cold = 20;
    private const string DropCaches = "/proc/sys/vm/drop_caches";

    public static async Task<IReadOnlyList<Metric>> RunAsync(IStoreHost host)
    {
        Console.Error.WriteLine($"{host.Title}: loading {Metrics * Steps:N0} points …");
        await LoadAsync(host);
        host.Tidy();
        var random = new Random(1);
        var warm = await WarmAsync(host, random);
        var cold = new List<double>();
        for (var i = 0; i < Cold; i++)
        {
            cold.Add(await ColdAsync(host, Query(random)));
        }

        var title = $"{host.Title}: query of at most {Buckets:N0} buckets, any range of {Steps:N0} steps among {Metrics * Steps:N0} points";
        return
        [
            Metric.AtMost($"{title}, median", warm[warm.Count / 2], "ms", 15),
            new Metric($"{title}, 99th percentile", warm[warm.Count * 99 / 100], "ms"),
            Metric.AtMost($"{title}, worst of {Cold} cold", cold.Max(), "ms", 100),
        ];
    }

    private static async Task LoadAsync(IStoreHost host)
    {
        await using var store = await TelemetryStore.OpenAsync(host.Address, TimeProvider.System, CancellationToken.None);
        for (var from = 1; from <= Steps; from += StepsPerFlush)
        {
            await store.IngestAsync(
                new EventBatch { Namespace = "bench", Job = Run, JobUid = Run, Attempt = 1, Steps = [.. Enumerable.Range(from, StepsPerFlush).Select(step => Curves.Step(0, step, Metrics))] },
                CancellationToken.None);
        }
    }

    /// <summary>Milliseconds, ascending.</summary>
    private static async Task<List<double>> WarmAsync(IStoreHost host, Random random)
    {
        await using var store = await TelemetryStore.OpenAsync(host.Address, TimeProvider.System, CancellationToken.None);
        for (var i = 0; i < Warm / 2; i++)
        {
            await store.SeriesAsync(Query(random), CancellationToken.None);
        }

        var milliseconds = new List<double>();
        for (var i = 0; i < Warm; i++)
        {
            milliseconds.Add(await TimeAsync(store, Query(random)));
        }

        milliseconds.Sort();
        return milliseconds;
    }

    /// <summary>A query of a database that has just begun, with none of its files in memory; the connection is there.</summary>
    private static async Task<double> ColdAsync(IStoreHost host, SeriesQuery query)
    {
        host.Restart();
        if (Environment.UserName == "root" && File.Exists(DropCaches))
        {
            await File.WriteAllTextAsync(DropCaches, "3");
        }

        await using var store = await TelemetryStore.OpenAsync(host.Address, TimeProvider.System, CancellationToken.None);
        await store.SeriesAsync(query with { Run = "another" }, CancellationToken.None);
        return await TimeAsync(store, query);
    }

    private static async Task<double> TimeAsync(TelemetryStore store, SeriesQuery query)
    {
        var started = Stopwatch.GetTimestamp();
        var data = await store.SeriesAsync(query, CancellationToken.None);
        var milliseconds = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        return data.Columns.Count.Sum() == query.To!.Value - query.From!.Value + 1 ? milliseconds : throw new BenchException($"{query} has {data.Columns.Count.Sum()} points");
    }

    /// <summary>A range of any length, long ones as often as short ones.</summary>
    private static SeriesQuery Query(Random random)
    {
        var length = (long)Math.Exp(Math.Log(Buckets) + random.NextDouble() * (Math.Log(Steps) - Math.Log(Buckets)));
        var from = 1 + random.NextInt64(Steps - length + 1);
        return new SeriesQuery { Run = Run, Metric = Curves.Name(random.Next(Metrics)), From = from, To = from + length - 1, Buckets = Buckets };
    }
}
