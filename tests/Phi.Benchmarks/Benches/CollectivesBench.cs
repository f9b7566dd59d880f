using System.Globalization;
using Phi.Benchmarks.Reports;
using Phi.Benchmarks.Workers;
using Phi.Collectives;

namespace Phi.Benchmarks.Benches;

/// <summary>Every collective over every transport of this machine. Ranks are processes, but threads of one process in the in-process transport.</summary>
internal sealed class CollectivesBench : IBench
{
    private const string InProcess = "in-process";
    private const string SharedMemory = "shared memory";
    private const string Tcp = "TCP";
    private const double RoundSeconds = 0.1;
    private static readonly int[] Worlds = [2, 4];
    private static readonly long[] Sizes = [64 << 10, 1 << 20, 64 << 20];

    public string Name => "collectives";

    public string Description => "every collective over in-process, shared-memory and TCP transports, against each other and memcpy";

    public async Task<IReadOnlyList<Metric>> RunAsync()
    {
        var metrics = new List<Metric>();
        foreach (var world in Worlds)
        {
            var figures = new Dictionary<string, IReadOnlyList<CollectiveFigure>>();
            foreach (var transport in new[] { InProcess, SharedMemory, Tcp })
            {
                await Console.Error.WriteLineAsync($"{transport}, {world} ranks …");
                figures[transport] = Slowest(await MeasureAsync(transport, world));
            }

            metrics.AddRange(Figures(world, figures));
        }

        return metrics;
    }

    private static IEnumerable<Metric> Figures(int world, Dictionary<string, IReadOnlyList<CollectiveFigure>> figures)
    {
        foreach (var (transport, measured) in figures)
        {
            foreach (var figure in measured.Where(figure => figure.Collective != CollectiveRank.Memcpy || transport == SharedMemory))
            {
                var what = figure.Collective == CollectiveRank.Memcpy ? figure.Collective : $"{transport}, {figure.Collective}";
                yield return new Metric($"{world} ranks, {what}, {Text(figure.Size)}", figure.GigabytesPerSecond, "GB/s per rank");
            }
        }

        foreach (var shared in figures[SharedMemory].Where(figure => figure.Collective != CollectiveRank.Memcpy))
        {
            var tcp = figures[Tcp].Single(figure => (figure.Collective, figure.Size) == (shared.Collective, shared.Size));
            var memcpy = figures[SharedMemory].Single(figure => (figure.Collective, figure.Size) == (CollectiveRank.Memcpy, shared.Size));
            var at = $"{world} ranks, {shared.Collective}, {Text(shared.Size)}";
            yield return new Metric($"{at}: shared memory / TCP", shared.GigabytesPerSecond / tcp.GigabytesPerSecond, "of its GB/s");
            yield return new Metric($"{at}: shared memory / memcpy", shared.GigabytesPerSecond / memcpy.GigabytesPerSecond, "of its GB/s");
        }
    }

    /// <summary>A collective is done when its last rank is.</summary>
    private static IReadOnlyList<CollectiveFigure> Slowest(IReadOnlyList<IReadOnlyList<CollectiveFigure>> ranks) =>
        [.. ranks[0].Select((figure, i) => figure with { GigabytesPerSecond = ranks.Min(rank => rank[i].GigabytesPerSecond) })];

    private static Task<IReadOnlyList<IReadOnlyList<CollectiveFigure>>> MeasureAsync(string transport, int world)
    {
        var port = WorkerRun.FreePort();
        IReadOnlyList<CollectiveConfiguration> ranks =
        [
            .. Enumerable.Range(0, world).Select(rank => new CollectiveConfiguration
            {
                Rank = rank, WorldSize = world, NodeRank = transport == Tcp ? rank : 0, MasterPort = port, Sizes = Sizes, RoundSeconds = RoundSeconds,
            }),
        ];
        return transport == InProcess
            ? MeasureThreadsAsync(ranks)
            : WorkerProcesses.RunAsync<CollectiveConfiguration, IReadOnlyList<CollectiveFigure>>("collective-worker", ranks, _ => []);
    }

    private static async Task<IReadOnlyList<IReadOnlyList<CollectiveFigure>>> MeasureThreadsAsync(IReadOnlyList<CollectiveConfiguration> ranks)
    {
        var groups = InProcessGroup.Create(ranks.Count);
        var results = await Task.WhenAll(groups.Zip(ranks, (group, rank) => Task.Factory.StartNew(() => CollectiveRank.Measure(group, rank), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        foreach (var group in groups)
        {
            await group.DisposeAsync();
        }

        return results;
    }

    private static string Text(long bytes) => bytes < 1 << 20
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes >> 10} KB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes >> 20} MB");
}
