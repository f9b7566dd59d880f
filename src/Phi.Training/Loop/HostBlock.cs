using Phi.Training.Devices;

namespace Phi.Training.Loop;

/// <summary>
/// Host memory for copies of a rank's state, one at a time. It is kept from one copy to the next: to get it, page by page or page-locked
/// for a GPU, costs more than the copy itself.
/// </summary>
internal sealed class HostBlock(IDevice device) : IDisposable
{
    private nint _memory;
    private long _bytes;
    private int _isTaken;

    public bool IsTaken => Volatile.Read(ref _isTaken) == 1;

    /// <summary>At least so many bytes until <see cref="Return"/>, from one thread at a time.</summary>
    /// <exception cref="InvalidOperationException">A copy is still in use.</exception>
    public nint Take(long bytes)
    {
        if (Interlocked.Exchange(ref _isTaken, 1) == 1)
        {
            throw new InvalidOperationException("a copy of the rank's state is still in use; dispose it before the next");
        }

        if (bytes > _bytes)
        {
            Free();
            (_memory, _bytes) = (device.AllocateHost(bytes), bytes);
        }

        return _memory;
    }

    public void Return() => Volatile.Write(ref _isTaken, 0);

    /// <summary>Memory that somebody still reads stays with the process, which is about to end.</summary>
    public void Dispose()
    {
        if (!IsTaken)
        {
            Free();
        }
    }

    private void Free()
    {
        if (_memory != 0)
        {
            device.FreeHost(_memory);
            (_memory, _bytes) = (0, 0);
        }
    }
}
