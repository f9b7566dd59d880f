using System.Net;
using Phi.Benchmarks.Benches;
using Phi.Benchmarks.Reports;
using Phi.Collectives;
using Phi.Collectives.Cuda;
using Phi.Collectives.Nccl;

namespace Phi.Benchmarks.Gpu;

/// <summary>NCCL's world of one: joins, runs each collective on device 0, checks what it left there, and times an all-gather with itself. Loads no libtorch.</summary>
internal sealed class GpuNcclBench : IBench
{
    private const int Count = 1 << 20;
    private const long TimedBytes = 256L << 20;
    private const int Rounds = 20;

    public string Name => "gpu-nccl";

    public string Description => "NCCL on one GPU: each collective's values, and the speed of an all-gather with itself";

    public async Task<IReadOnlyList<Metric>> RunAsync()
    {
        try
        {
            using var context = new CudaContext(0);
            NcclApi.ThrowIfFailed(NcclApi.GetVersion(out var version), "tell its version");
            await using var host = InProcessGroup.Create(1)[0];
            var options = new NcclOptions { NodeRank = 0, BindAddress = IPAddress.Loopback };
            await using var group = await NcclGroup.ConnectAsync(host, context, (_, _, _) => throw new BenchException("a world of one has nothing to add"), options, CancellationToken.None);
            return
            [
                Metric.AtLeast($"NCCL {NcclApi.VersionText(version)}", version, "version code", NcclApi.OldestVersion),
                .. OnDevice(context, group),
            ];
        }
        catch (Exception e) when (e is DllNotFoundException or CudaException)
        {
            throw new BenchException($"this bench needs an NVIDIA GPU, its driver and NCCL: {e.Message}");
        }
    }

    private static IReadOnlyList<Metric> OnDevice(CudaContext context, ICommunicator group)
    {
        context.MakeCurrent();
        using var stream = new CudaStream();
        stream.MakeCurrent();
        var from = Allocate(TimedBytes);
        var to = Allocate(TimedBytes);
        try
        {
            var right = Enum.GetValues<CollectiveOperation>().Count(operation => IsRight(group, operation, from, to));
            return
            [
                Metric.AtLeast("collectives that left the right values", right, "of 6", 6),
                new Metric($"all-gather of {TimedBytes >> 20} MiB with itself", Rounds * TimedBytes / Seconds(group, from, to) / 1e9, "GB/s"),
            ];
        }
        finally
        {
            _ = CudaDriver.MemFree(from);
            _ = CudaDriver.MemFree(to);
        }
    }

    private static unsafe bool IsRight(ICommunicator group, CollectiveOperation operation, nint from, nint to)
    {
        const int bytes = Count * sizeof(float);
        var sent = Enumerable.Range(0, Count).Select(i => MathF.Sin(i) * ((int)operation + 1)).ToArray();
        var received = new float[Count];
        CudaException.ThrowIfFailed(CudaDriver.MemsetByte(to, 0xFF, bytes, CudaStream.Current), "fill memory");
        fixed (float* memory = sent)
        {
            CudaException.ThrowIfFailed(CudaDriver.MemcpyHostToDevice(from, (nint)memory, bytes, CudaStream.Current), "copy to the device");
        }

        // In place where the collective is.
        var result = operation is CollectiveOperation.AllReduce or CollectiveOperation.Broadcast or CollectiveOperation.Barrier ? from : to;
        var handle = operation switch
        {
            CollectiveOperation.AllGather => group.AllGather(from, to, bytes),
            CollectiveOperation.AllToAll => group.AllToAll(from, to, bytes),
            CollectiveOperation.ReduceScatter => group.ReduceScatter(from, to, Count),
            CollectiveOperation.AllReduce => group.AllReduce(from, Count),
            CollectiveOperation.Broadcast => group.Broadcast(from, bytes, 0),
            _ => group.Barrier(),
        };
        handle.Wait();
        fixed (float* memory = received)
        {
            CudaException.ThrowIfFailed(CudaDriver.MemcpyDeviceToHost((nint)memory, result, bytes, CudaStream.Current), "copy to the host");
            CudaStream.SynchronizeCurrent();
        }

        return received.AsSpan().SequenceEqual(sent);
    }

    private static double Seconds(ICommunicator group, nint from, nint to)
    {
        using var start = new CudaEvent(hasTime: true);
        using var end = new CudaEvent(hasTime: true);
        group.AllGather(from, to, TimedBytes).Wait();
        start.Record();
        for (var round = 0; round < Rounds; round++)
        {
            group.AllGather(from, to, TimedBytes).Wait();
        }

        end.Record();
        CudaStream.SynchronizeCurrent();
        return end.SecondsSince(start);
    }

    private static nint Allocate(long bytes)
    {
        CudaException.ThrowIfFailed(CudaDriver.MemAlloc(out var memory, (nuint)bytes), $"allocate {bytes} bytes");
        return memory;
    }
}
