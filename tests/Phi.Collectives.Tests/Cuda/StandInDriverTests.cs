using System.Runtime.InteropServices;
using Phi.Collectives.Cuda;
using Phi.StandIns;

namespace Phi.Collectives.Tests.Cuda;

/// <summary>The stand-in keeps the driver's contracts: a test that passes on it by luck would prove nothing of a GPU.</summary>
[Collection(GpuStandIn.Name)]
public sealed class StandInDriverTests : IDisposable
{
    private const int Bytes = 4096;
    private readonly CudaContext _context = GpuStandIn.Open();
    private readonly nint _memory;

    public StandInDriverTests() => Check(CudaDriver.MemAlloc(out _memory, Bytes));

    public void Dispose()
    {
        Check(CudaDriver.MemFree(_memory));
        _context.Dispose();
    }

    [Fact]
    public void MemAlloc_NewMemory_IsNotZero() => Assert.Equal(0xA5, Marshal.ReadByte(_memory, Bytes - 1));

    [Fact]
    public void MemFree_OverrunAllocation_IsTold()
    {
        Check(CudaDriver.MemAlloc(out var memory, 100));
        Marshal.WriteByte(memory, 100, 1);

        Assert.NotEqual(CudaDriver.Success, CudaDriver.MemFree(memory));
    }

    [Fact]
    public void MemFree_Twice_IsRefused()
    {
        Check(CudaDriver.MemAlloc(out var memory, 100));
        Check(CudaDriver.MemFree(memory));

        Assert.NotEqual(CudaDriver.Success, CudaDriver.MemFree(memory));
    }

    [Fact]
    public void Memset_BeyondAnAllocation_IsRefused() => Assert.NotEqual(CudaDriver.Success, CudaDriver.MemsetByte(_memory, 0, Bytes + 1, 0));

    [Fact]
    public void MemAlloc_OnAThreadWithoutAContext_IsRefused()
    {
        var result = CudaDriver.Success;
        var thread = new Thread(() => result = CudaDriver.MemAlloc(out _, 64));
        thread.Start();
        thread.Join();

        Assert.Equal(201, result);
    }

    [Fact]
    public void Stream_WhoseWorkIsHeld_IsNotWaitedForByTheDefaultStream()
    {
        using var stream = new CudaStream();
        using var done = new CudaEvent();
        using (StandInDriver.Hold(stream.Handle))
        {
            Check(CudaDriver.MemsetByte(_memory, 1, Bytes, stream.Handle));
            Check(CudaDriver.EventRecord(done.Handle, stream.Handle));
            Check(CudaDriver.MemsetByte(_memory, 2, Bytes, 0));

            Assert.False(done.IsDone);
            Assert.Equal(2, Marshal.ReadByte(_memory));
        }

        done.Wait();
        Assert.True(done.IsDone);
        Assert.Equal(1, Marshal.ReadByte(_memory));
    }

    [Fact]
    public void StreamWaitEvent_BetweenStreams_OrdersThem()
    {
        using var first = new CudaStream();
        using var second = new CudaStream();
        using var done = new CudaEvent();
        using (StandInDriver.Hold(first.Handle))
        {
            Check(CudaDriver.MemsetByte(_memory, 3, Bytes, first.Handle));
            Check(CudaDriver.EventRecord(done.Handle, first.Handle));
            Check(CudaDriver.StreamWaitEvent(second.Handle, done.Handle, 0));
            Check(CudaDriver.MemsetByte(_memory, 4, Bytes, second.Handle));
        }

        Check(CudaDriver.StreamSynchronize(second.Handle));
        Assert.Equal(4, Marshal.ReadByte(_memory));
    }

    [Fact]
    public void StreamWaitEvent_OfAnEventRecordedAgain_WaitsForTheRecordOfItsTime()
    {
        using var first = new CudaStream();
        using var second = new CudaStream();
        using var done = new CudaEvent();
        Check(CudaDriver.EventRecord(done.Handle, first.Handle));
        Check(CudaDriver.StreamWaitEvent(second.Handle, done.Handle, 0));
        using var held = StandInDriver.Hold(first.Handle);
        Check(CudaDriver.EventRecord(done.Handle, first.Handle));

        Check(CudaDriver.StreamSynchronize(second.Handle));

        Assert.False(done.IsDone);
    }

    [Fact]
    public void HostToDevice_FromPageableMemory_IsReadBeforeTheCallReturns()
    {
        using var stream = new CudaStream();
        var host = Marshal.AllocHGlobal(Bytes);
        using (StandInDriver.Hold(stream.Handle))
        {
            Marshal.WriteByte(host, 5);
            Check(CudaDriver.MemcpyHostToDevice(_memory, host, Bytes, stream.Handle));
            Marshal.WriteByte(host, 6);
        }

        Check(CudaDriver.StreamSynchronize(stream.Handle));
        Assert.Equal(5, Marshal.ReadByte(_memory));
        Marshal.FreeHGlobal(host);
    }

    [Fact]
    public void HostToDevice_FromPageLockedMemory_IsReadWhenItsTurnComes()
    {
        using var stream = new CudaStream();
        Check(CudaDriver.MemHostAlloc(out var host, Bytes, 0));
        using (StandInDriver.Hold(stream.Handle))
        {
            Marshal.WriteByte(host, 5);
            Check(CudaDriver.MemcpyHostToDevice(_memory, host, Bytes, stream.Handle));
            Marshal.WriteByte(host, 6);
        }

        Check(CudaDriver.StreamSynchronize(stream.Handle));
        Assert.Equal(6, Marshal.ReadByte(_memory));
        Check(CudaDriver.MemFreeHost(host));
    }

    [Fact]
    public void SecondsSince_EventsOfOneStream_IsNotNegative()
    {
        using var start = new CudaEvent(hasTime: true);
        using var end = new CudaEvent(hasTime: true);
        start.Record();
        end.Record();

        Assert.True(end.SecondsSince(start) >= 0);
    }

    [Fact]
    public void Context_OfADeviceThatIsNotThere_NamesHowManyThereAre()
    {
        StandInDriver.SetDevices(2);
        var error = Assert.Throws<CudaException>(() => new CudaContext(2));
        StandInDriver.SetDevices(8);

        Assert.Contains("this node has 2", error.Message, StringComparison.Ordinal);
    }

    private static void Check(int result) => Assert.Equal(CudaDriver.Success, result);
}
