using System.Net;
using System.Text.Json;
using Phi.Collectives;

namespace Phi.Benchmarks.Workers;

/// <summary>A <see cref="CollectiveRank"/> in a process of its own: reads its configuration, prints its figures as JSON.</summary>
internal static class CollectiveWorker
{
    public static async Task<int> RunAsync()
    {
        var configuration = JsonSerializer.Deserialize<CollectiveConfiguration>((await Console.In.ReadLineAsync())!)!;
        await using var group = await TcpGroup.ConnectAsync(
            new RendezvousOptions
            {
                MasterAddress = IPAddress.Loopback, MasterPort = configuration.MasterPort, Rank = configuration.Rank, WorldSize = configuration.WorldSize, NodeRank = configuration.NodeRank,
                RunId = "bench", Attempt = 1, BindAddress = IPAddress.Loopback,
            },
            CancellationToken.None);
        Console.WriteLine(JsonSerializer.Serialize(CollectiveRank.Measure(group, configuration)));
        return 0;
    }
}
