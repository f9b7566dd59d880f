using System.Net;
using System.Net.Sockets;

namespace Phi.Benchmarks.Workers;

/// <summary>Training runs whose every rank is a process.</summary>
internal static class WorkerRun
{
    /// <param name="prefix">Command that a rank's process is started with, such as one that enters a network namespace; by node.</param>
    public static Task<IReadOnlyList<WorkerResult>> RunAsync(IReadOnlyList<WorkerConfiguration> ranks, Func<int, IReadOnlyList<string>>? prefix = null) =>
        WorkerProcesses.RunAsync<WorkerConfiguration, WorkerResult>("worker", ranks, rank => prefix?.Invoke(rank.NodeRank) ?? []);

    /// <summary>Ranks of one machine, so many to a node.</summary>
    public static IReadOnlyList<WorkerConfiguration> OnOneMachine(WorkerConfiguration configuration, int worldSize)
    {
        var port = FreePort();
        return [.. Enumerable.Range(0, worldSize).Select(rank => configuration with { Rank = rank, WorldSize = worldSize, MasterPort = port })];
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
