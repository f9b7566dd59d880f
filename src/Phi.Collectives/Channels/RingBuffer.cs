namespace Phi.Collectives.Channels;

/// <summary>
/// A single-producer, single-consumer ring in raw memory, which may be shared between processes.
/// Layout: tail (bytes written) at 0, head (bytes read) at 64, data from 128; each counter on a cache line of its own.
/// </summary>
internal readonly unsafe struct RingBuffer(byte* memory, long capacity)
{
    private const int HeadOffset = 64;
    private const int DataOffset = 128;

    public static long SizeBytes(long capacity) => DataOffset + capacity;

    public long Write(byte* from, long length)
    {
        ref var tail = ref *(long*)memory;
        var free = capacity - (tail - Volatile.Read(ref *(long*)(memory + HeadOffset)));
        var taken = Math.Min(free, length);
        if (taken <= 0)
        {
            return 0;
        }

        var at = tail % capacity;
        var first = Math.Min(taken, capacity - at);
        Buffer.MemoryCopy(from, memory + DataOffset + at, first, first);
        Buffer.MemoryCopy(from + first, memory + DataOffset, taken - first, taken - first);
        Volatile.Write(ref tail, tail + taken);
        return taken;
    }

    public long Read(byte* to, long length)
    {
        ref var head = ref *(long*)(memory + HeadOffset);
        var there = Volatile.Read(ref *(long*)memory) - head;
        var taken = Math.Min(there, length);
        if (taken <= 0)
        {
            return 0;
        }

        var at = head % capacity;
        var first = Math.Min(taken, capacity - at);
        Buffer.MemoryCopy(memory + DataOffset + at, to, first, first);
        Buffer.MemoryCopy(memory + DataOffset, to + first, taken - first, taken - first);
        Volatile.Write(ref head, head + taken);
        return taken;
    }
}
