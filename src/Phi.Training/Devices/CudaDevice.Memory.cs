using Phi.Collectives.Cuda;

namespace Phi.Training.Devices;

/// <content>Memory and copies.</content>
public sealed partial class CudaDevice
{
    /// <summary>The memory is zero for every stream when the call returns.</summary>
    public nint Allocate(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        var result = CudaDriver.MemAlloc(out var memory, (nuint)Math.Max(1, bytes));
        if (result != CudaDriver.Success)
        {
            CudaException.ThrowIfFailed(result, $"allocate {bytes} bytes on device {_context.Ordinal}");
        }

        Clear(memory, bytes);
        CudaStream.SynchronizeCurrent();
        return memory;
    }

    /// <summary>Waits for the device's earlier work.</summary>
    /// <summary>Does not throw: memory is freed while another error is on its way up, and on a broken device every call fails.</summary>
    public void Free(nint memory) => _ = CudaDriver.MemFree(memory);

    /// <summary>Page-locked.</summary>
    public nint AllocateHost(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        var result = CudaDriver.MemHostAlloc(out var memory, (nuint)Math.Max(1, bytes), 0);
        if (result != CudaDriver.Success)
        {
            CudaException.ThrowIfFailed(result, $"allocate {bytes} page-locked bytes of the host's memory");
        }

        return memory;
    }

    public void FreeHost(nint memory) => _ = CudaDriver.MemFreeHost(memory);

    public void Clear(nint memory, long bytes)
    {
        if (bytes > 0)
        {
            CudaException.ThrowIfFailed(CudaDriver.MemsetByte(memory, 0, (nuint)bytes, CudaStream.Current), "clear memory");
        }
    }

    public void Copy(nint from, nint to, long bytes)
    {
        if (bytes > 0)
        {
            CudaException.ThrowIfFailed(CudaDriver.MemcpyDeviceToDevice(to, from, (nuint)bytes, CudaStream.Current), "copy within the device");
        }
    }

    public void Upload(nint host, nint to, long bytes)
    {
        if (bytes > 0)
        {
            CudaException.ThrowIfFailed(CudaDriver.MemcpyHostToDevice(to, host, (nuint)bytes, CudaStream.Current), "copy to the device");
            // Page-locked memory, such as a tensor's, is read when the copy's turn comes.
            CudaStream.SynchronizeCurrent();
        }
    }

    public void Download(nint from, nint host, long bytes)
    {
        if (bytes > 0)
        {
            CudaException.ThrowIfFailed(CudaDriver.MemcpyDeviceToHost(host, from, (nuint)bytes, CudaStream.Current), "copy from the device");
        }

        CudaStream.SynchronizeCurrent();
    }
}
