using System.Runtime.InteropServices;
using Phi.Collectives.Channels;

namespace Phi.Collectives;

/// <summary>Ranks as threads of one process: tests, and several ranks on one GPU.</summary>
public static unsafe class InProcessGroup
{
    /// <summary>One communicator per rank. Disposing one is what a rank's death is elsewhere: its peers get a named error.</summary>
    public static IReadOnlyList<ICommunicator> Create(int worldSize, CollectiveOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(worldSize, 1);
        options ??= new CollectiveOptions();
        var alive = new bool[worldSize];
        Array.Fill(alive, true);
        var channels = Enumerable.Range(0, worldSize).Select(_ => new PeerChannel?[worldSize]).ToArray();
        for (var low = 0; low < worldSize; low++)
        {
            for (var high = low + 1; high < worldSize; high++)
            {
                (channels[low][high], channels[high][low]) = Pair(low, high, alive, options.RingBytes);
            }
        }

        return [.. channels.Select((row, rank) => new ChannelCommunicator(rank, row, options))];
    }

    private static (PeerChannel Low, PeerChannel High) Pair(int low, int high, bool[] alive, int capacity)
    {
        var size = RingBuffer.SizeBytes(capacity);
        var memory = (byte*)NativeMemory.AlignedAlloc((nuint)(2 * size), 64);
        NativeMemory.Clear(memory, (nuint)(2 * size));
        var up = new RingBuffer(memory, capacity);
        var down = new RingBuffer(memory + size, capacity);
        var users = 2;
        return (
            new RingChannel(up, down, () => Volatile.Read(ref alive[high]), () => Release(low)),
            new RingChannel(down, up, () => Volatile.Read(ref alive[low]), () => Release(high)));

        void Release(int rank)
        {
            Volatile.Write(ref alive[rank], false);
            if (Interlocked.Decrement(ref users) == 0)
            {
                NativeMemory.AlignedFree(memory);
            }
        }
    }
}
