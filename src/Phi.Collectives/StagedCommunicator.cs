using Phi.Collectives.Cuda;

namespace Phi.Collectives;

/// <summary>
/// Collectives on device memory through the host's: for ranks that share a GPU, and for nodes without NCCL. Bits and counted bytes are the
/// host transport's. A call waits for the calling thread's stream, and its result is there when it returns.
/// </summary>
/// <param name="host">Used by this communicator alone, which disposes it.</param>
public sealed class StagedCommunicator(ICommunicator host) : ICommunicator
{
    private readonly List<StagedCommunicator> _splits = [];
    private nint _send;
    private long _sendBytes;
    private nint _receive;
    private long _receiveBytes;

    public int Rank => host.Rank;

    public int WorldSize => host.WorldSize;

    public WireStatistics Statistics => host.Statistics;

    public CollectiveHandle AllGather(nint send, nint receive, long bytes)
    {
        var all = Grow(ref _receive, ref _receiveBytes, bytes * WorldSize);
        var own = all + (nint)(Rank * bytes);
        Download(send, own, bytes);
        host.AllGather(own, all, bytes).Wait();
        Upload(all, receive, bytes * WorldSize);
        return default;
    }

    public CollectiveHandle AllToAll(nint send, nint receive, long bytes)
    {
        var all = bytes * WorldSize;
        var from = Grow(ref _send, ref _sendBytes, all);
        var to = Grow(ref _receive, ref _receiveBytes, all);
        Download(send, from, all);
        host.AllToAll(from, to, bytes).Wait();
        Upload(to, receive, all);
        return default;
    }

    public CollectiveHandle ReduceScatter(nint send, nint receive, long count)
    {
        var bytes = count * sizeof(float);
        var from = Grow(ref _send, ref _sendBytes, bytes * WorldSize);
        var to = Grow(ref _receive, ref _receiveBytes, bytes);
        Download(send, from, bytes * WorldSize);
        host.ReduceScatter(from, to, count).Wait();
        Upload(to, receive, bytes);
        return default;
    }

    public CollectiveHandle AllReduce(nint buffer, long count)
    {
        var bytes = count * sizeof(float);
        var values = Grow(ref _send, ref _sendBytes, bytes);
        Download(buffer, values, bytes);
        host.AllReduce(values, count).Wait();
        Upload(values, buffer, bytes);
        return default;
    }

    public CollectiveHandle Broadcast(nint buffer, long bytes, int root)
    {
        var values = Grow(ref _send, ref _sendBytes, bytes);
        if (Rank == root)
        {
            Download(buffer, values, bytes);
        }

        host.Broadcast(values, bytes, root).Wait();
        if (Rank != root)
        {
            Upload(values, buffer, bytes);
        }

        return default;
    }

    public CollectiveHandle Barrier()
    {
        CudaStream.SynchronizeCurrent();
        return host.Barrier();
    }

    public ICommunicator Split(int color)
    {
        var split = new StagedCommunicator(host.Split(color));
        _splits.Add(split);
        return split;
    }

    /// <summary>Ends its splits too.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var split in _splits)
        {
            await split.DisposeAsync();
        }

        _splits.Clear();
        Free(ref _send, ref _sendBytes);
        Free(ref _receive, ref _receiveBytes);
        await host.DisposeAsync();
    }

    private static void Download(nint device, nint memory, long bytes)
    {
        if (bytes > 0)
        {
            CudaException.ThrowIfFailed(CudaDriver.MemcpyDeviceToHost(memory, device, (nuint)bytes, CudaStream.Current), $"copy {bytes} bytes to the host");
        }

        CudaStream.SynchronizeCurrent();
    }

    private static void Upload(nint memory, nint device, long bytes)
    {
        if (bytes > 0)
        {
            CudaException.ThrowIfFailed(CudaDriver.MemcpyHostToDevice(device, memory, (nuint)bytes, CudaStream.Current), $"copy {bytes} bytes to the device");
            CudaStream.SynchronizeCurrent();
        }
    }

    /// <summary>Page-locked memory of at least this size; the one before is free, for every call ends its copies.</summary>
    private static nint Grow(ref nint memory, ref long size, long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (bytes > size)
        {
            Free(ref memory, ref size);
            CudaException.ThrowIfFailed(CudaDriver.MemHostAlloc(out memory, (nuint)bytes, 0), $"allocate {bytes} bytes of page-locked memory");
            size = bytes;
        }

        return memory;
    }

    private static void Free(ref nint memory, ref long size)
    {
        if (memory != 0)
        {
            _ = CudaDriver.MemFreeHost(memory);
            (memory, size) = (0, 0);
        }
    }
}
