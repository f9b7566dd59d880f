using System.Runtime.InteropServices;

namespace Phi.Collectives.Nccl;

/// <summary>Small values over a host group.</summary>
internal static unsafe class HostMessages
{
    /// <summary>Every rank's value, by rank.</summary>
    public static T[] Gather<T>(ICommunicator host, T value)
        where T : unmanaged
    {
        var values = new T[host.WorldSize];
        fixed (T* to = values)
        {
            host.AllGather((nint)(&value), (nint)to, sizeof(T)).Wait();
        }

        return values;
    }

    /// <summary>Rank 0's bytes to every rank.</summary>
    public static void Broadcast(ICommunicator host, Span<byte> bytes)
    {
        fixed (byte* buffer = &MemoryMarshal.GetReference(bytes))
        {
            host.Broadcast((nint)buffer, bytes.Length, 0).Wait();
        }
    }
}
