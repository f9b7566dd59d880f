namespace Phi.Collectives.Cuda;

/// <summary>A place in a stream that another stream, or the host, can wait for.</summary>
public sealed class CudaEvent : IDisposable
{
    private nint _handle;

    /// <param name="hasTime">Whether <see cref="SecondsSince"/> will be asked.</param>
    public CudaEvent(bool hasTime = false)
    {
        CudaException.ThrowIfFailed(CudaDriver.EventCreate(out _handle, hasTime ? 0 : CudaDriver.EventDisableTiming), "create an event");
    }

    public nint Handle => _handle;

    /// <summary>Whether the work before the event is done.</summary>
    public bool IsDone
    {
        get
        {
            var result = CudaDriver.EventQuery(_handle);
            if (result == CudaDriver.NotReady)
            {
                return false;
            }

            CudaException.ThrowIfFailed(result, "run earlier work");
            return true;
        }
    }

    /// <summary>Places the event behind the work of this thread's stream.</summary>
    public void Record() => CudaException.ThrowIfFailed(CudaDriver.EventRecord(_handle, CudaStream.Current), "record an event");

    /// <summary>Later work of this thread's stream begins when the work before the event is done. The host goes on.</summary>
    public void Wait() => CudaException.ThrowIfFailed(CudaDriver.StreamWaitEvent(CudaStream.Current, _handle, 0), "wait for an event");

    public double SecondsSince(CudaEvent start)
    {
        CudaException.ThrowIfFailed(CudaDriver.EventElapsedTime(out var milliseconds, start._handle, _handle), "time two events");
        return milliseconds / 1000.0;
    }

    public void Dispose()
    {
        if (_handle != 0)
        {
            _ = CudaDriver.EventDestroy(_handle);
            _handle = 0;
        }
    }
}
