namespace Phi.Collectives.Cuda;

/// <summary>Work in order on a GPU, beside that of other streams.</summary>
public sealed class CudaStream : IDisposable
{
    [ThreadStatic]
    private static nint _current;

    private nint _handle;

    /// <summary>A stream that does not wait for libtorch's, the default stream.</summary>
    public CudaStream()
    {
        CudaException.ThrowIfFailed(CudaDriver.StreamCreate(out _handle, CudaDriver.StreamNonBlocking), "create a stream");
    }

    /// <summary>The stream on which this thread's work goes; 0, the default stream, unless <see cref="MakeCurrent"/> was called on the thread.</summary>
    public static nint Current => _current;

    public nint Handle => _handle;

    /// <summary>Returns when all work of this thread's stream is done.</summary>
    public static void SynchronizeCurrent() => Synchronize(Current);

    /// <summary>Returns when all work of the stream is done.</summary>
    public void Synchronize() => Synchronize(Handle);

    public void MakeCurrent() => _current = Handle;

    public void Dispose()
    {
        if (_handle != 0)
        {
            _ = CudaDriver.StreamDestroy(_handle);
            _current = _current == _handle ? 0 : _current;
            _handle = 0;
        }
    }

    private static void Synchronize(nint stream) => CudaException.ThrowIfFailed(CudaDriver.StreamSynchronize(stream), "finish the work of a stream");
}
