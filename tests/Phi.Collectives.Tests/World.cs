using System.Net;
using System.Runtime.InteropServices;
using Phi.Collectives.Cuda;
using Phi.Collectives.Tests.Nccl;

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

        /// <summary>On the GPU stand-in: device memory is host memory there.</summary>
        Nccl,
        Staged,
    }

    public static async Task<T[]> RunAsync<T>(Transport transport, int worldSize, Func<ICommunicator, T> body, CollectiveOptions? options = null)
    {
        if (transport is Transport.Nccl or Transport.Staged)
        {
            await using var world = await GpuWorld.CreateAsync(worldSize, isStaged: transport == Transport.Staged, options);
            return world.Run(body);
        }

        var groups = await CreateAsync(transport, worldSize, options);
        try
        {
            return OnThreads(worldSize, rank => body(groups[rank]));
        }
        finally
        {
            foreach (var group in groups)
            {
                await group.DisposeAsync();
            }
        }
    }

    /// <summary>Each rank's result, or the first error.</summary>
    public static T[] OnThreads<T>(int worldSize, Func<int, T> body)
    {
        var results = new T[worldSize];
        var errors = new Exception?[worldSize];
        var threads = Enumerable.Range(0, worldSize).Select(rank => new Thread(() =>
        {
            try
            {
                results[rank] = body(rank);
            }
            catch (Exception e)
            {
                errors[rank] = e;
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return errors.OfType<Exception>().FirstOrDefault() is { } error ? throw new InvalidOperationException(error.Message, error) : results;
    }

    public static async Task<IReadOnlyList<ICommunicator>> CreateAsync(Transport transport, int worldSize, CollectiveOptions? options = null)
    {
        if (transport == Transport.InProcess)
        {
            return InProcessGroup.Create(worldSize, options);
        }

        var master = FreeEndPoint.Next();
        return await Task.WhenAll(Enumerable.Range(0, worldSize).Select(rank => TcpGroup.ConnectAsync(Options(rank, worldSize, master, transport) with { Collectives = options ?? new CollectiveOptions() }, CancellationToken.None)));
    }

    public static RendezvousOptions Options(int rank, int worldSize, IPEndPoint master, Transport transport) => new()
    {
        MasterAddress = master.Address,
        MasterPort = master.Port,
        Rank = rank,
        WorldSize = worldSize,
        NodeRank = transport switch { Transport.SharedMemory => 0, Transport.Tcp => rank, _ => rank * 2 / worldSize },
        RunId = "run",
        Attempt = 1,
        BindAddress = IPAddress.Loopback,
    };

    /// <summary>Pins an array for ever: work that outlives a failed test may still use it.</summary>
    public static void Unsynchronized<T>(T[] array, Action<nint> body)
        where T : unmanaged => body(GCHandle.Alloc(array, GCHandleType.Pinned).AddrOfPinnedObject());

    /// <summary>Pins an array for the time of a call and of the work that it puts in the thread's stream.</summary>
    public static void Pinned<T>(T[] array, Action<nint> body)
        where T : unmanaged
    {
        var handle = GCHandle.Alloc(array, GCHandleType.Pinned);
        try
        {
            body(handle.AddrOfPinnedObject());
            if (CudaStream.Current != 0)
            {
                CudaStream.SynchronizeCurrent();
            }
        }
        finally
        {
            handle.Free();
        }
    }
}
