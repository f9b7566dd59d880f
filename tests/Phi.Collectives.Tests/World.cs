using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Phi.Collectives.Tests;

/// <summary>Runs one body per rank, each on a thread of its own, over the transport under test.</summary>
internal static class World
{
    public enum Transport
    {
        InProcess,
        SharedMemory,
        Tcp,
        TwoNodes,
    }

    public static async Task<T[]> RunAsync<T>(Transport transport, int worldSize, Func<ICommunicator, T> body, CollectiveOptions? options = null)
    {
        var groups = await CreateAsync(transport, worldSize, options);
        var results = new T[worldSize];
        var errors = new Exception?[worldSize];
        var threads = groups.Select((group, rank) => new Thread(() =>
        {
            try
            {
                results[rank] = body(group);
            }
            catch (Exception e)
            {
                errors[rank] = e;
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        foreach (var group in groups)
        {
            await group.DisposeAsync();
        }

        return errors.OfType<Exception>().FirstOrDefault() is { } error ? throw new InvalidOperationException(error.Message, error) : results;
    }

    public static async Task<IReadOnlyList<ICommunicator>> CreateAsync(Transport transport, int worldSize, CollectiveOptions? options = null)
    {
        if (transport == Transport.InProcess)
        {
            return InProcessGroup.Create(worldSize, options);
        }

        var port = FreePort();
        return await Task.WhenAll(Enumerable.Range(0, worldSize).Select(rank => TcpGroup.ConnectAsync(Options(rank, worldSize, port, transport) with { Collectives = options ?? new CollectiveOptions() }, CancellationToken.None)));
    }

    public static RendezvousOptions Options(int rank, int worldSize, int port, Transport transport) => new()
    {
        MasterAddress = IPAddress.Loopback,
        MasterPort = port,
        Rank = rank,
        WorldSize = worldSize,
        NodeRank = transport switch { Transport.SharedMemory => 0, Transport.Tcp => rank, _ => rank * 2 / worldSize },
        RunId = "run",
        Attempt = 1,
        BindAddress = IPAddress.Loopback,
    };

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Pins an array for the time of a call.</summary>
    public static void Pinned<T>(T[] array, Action<nint> body)
        where T : unmanaged
    {
        var handle = GCHandle.Alloc(array, GCHandleType.Pinned);
        try
        {
            body(handle.AddrOfPinnedObject());
        }
        finally
        {
            handle.Free();
        }
    }
}
