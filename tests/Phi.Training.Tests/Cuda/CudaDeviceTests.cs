using Phi.Collectives.Cuda;
using Phi.StandIns;
using Phi.Training.Devices;
using Phi.Training.Zero;
using TorchSharp;

namespace Phi.Training.Tests.Cuda;

/// <summary>Memory, copies and streams of the device.</summary>
[Collection(GpuStandIn.Name)]
public sealed unsafe class CudaDeviceTests : IDisposable
{
    private const int Count = 1 << 14;
    private readonly CudaDevice _device;

    public CudaDeviceTests(GpuStandIn gpu)
    {
        _device = gpu.Device;
        _device.EnterThread();
    }

    public void Dispose() => StandInDriver.SetDelay(TimeSpan.Zero);

    [Fact]
    public void Allocate_NewMemory_IsZeroAndAligned()
    {
        var memory = _device.Allocate(1000);

        var bytes = new byte[1000];
        fixed (byte* to = bytes)
        {
            _device.Download(memory, (nint)to, bytes.Length);
        }

        Assert.All(bytes, value => Assert.Equal(0, value));
        Assert.Equal(0, memory % 64);
        _device.Free(memory);
    }

    [Fact]
    public void Allocate_NoBytes_CanBeFreed() => _device.Free(_device.Allocate(0));

    [Fact]
    public void Upload_ThenCopyThenDownload_GivesTheBytesBack()
    {
        var values = Numbers.Random(1, Count, 16);
        using var first = DeviceArray.Of<float>(_device, values);
        using var second = DeviceArray.Garbage(_device, first.Bytes);

        _device.Copy(first.Address, second.Address, first.Bytes);

        Numbers.AssertSame(values, second.Read<float>());
        _device.Clear(second.Address + 8, second.Bytes - 8);
        Assert.Equal([.. values[..2], .. new float[Count - 2]], second.Read<float>());
    }

    /// <summary>A chain of every kind of work in a slow stream: each link must be in the stream, and each kept memory its stream's own.</summary>
    [Fact]
    public void Work_InAStream_IsDoneInOrderBesideTheDefaultStream()
    {
        StandInDriver.SetDelay(TimeSpan.FromMicroseconds(300));
        var values = Enumerable.Range(0, Count).Select(i => (float)(i % 100)).ToArray();
        using var onDefault = DeviceArray.Of<float>(_device, values);
        using var defaultSum = DeviceArray.Garbage(_device, sizeof(float));
        var quantizer = _device.CreateQuantizer(8, 256);
        Exception? failure = null;
        var worker = new Thread(() => failure = Record.Exception(() => RunChain(quantizer, values)));
        worker.Start();
        for (var turn = 0; turn < 20; turn++)
        {
            _device.SumOfSquares(onDefault.Address, Count, defaultSum.Address);
            Assert.Equal((float)values.Sum(value => (double)value * value), defaultSum.Read<float>()[0]);
        }

        worker.Join();
        Assert.Null(failure);
    }

    [Fact]
    public void Event_OfAStream_OrdersItsWorkBeforeTheDefaultStreams()
    {
        using var source = DeviceArray.Of<byte>(_device, Enumerable.Repeat((byte)7, 64).ToArray());
        var memory = _device.Allocate(64);
        using var stream = _device.CreateStream()!;
        using var done = _device.CreateEvent()!;
        using (StandInDriver.Hold(stream.Handle))
        {
            var worker = new Thread(() =>
            {
                _device.EnterThread();
                stream.MakeCurrent();
                _device.Copy(source.Address, memory, 64);
                done.Record();
            });
            worker.Start();
            worker.Join();
            Assert.False(done.IsDone);
        }

        done.Wait();
        var value = 0L;
        _device.Download(memory, (nint)(&value), sizeof(long));
        Assert.Equal(0x0707070707070707, value);
        _device.Free(memory);
    }

    [Fact]
    public void Constructor_OfAGpuThatIsNotThere_SaysHowManyThereAre()
    {
        var error = Assert.Throws<CudaException>(() => new CudaDevice(64, Path.GetTempPath()));

        Assert.Contains("there is no CUDA device 64: this node has 8", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Dispose_AfterWork_LeavesNoMemory()
    {
        var folder = Directory.CreateTempSubdirectory("phi-images-").FullName;
        var before = StandInDriver.LiveAllocations;
        using (var device = new CudaDevice(1, folder, torch.CPU))
        {
            var memory = device.Allocate(Count * sizeof(float));
            device.SumOfSquares(memory, Count / 2, memory);
            device.Free(memory);
        }

        Assert.Equal(before, StandInDriver.LiveAllocations);
        Directory.Delete(folder, recursive: true);
        _device.EnterThread();
    }

    [Fact]
    public void Constructor_SecondRankOnTheSameFolder_CompilesNothing()
    {
        var folder = Directory.CreateTempSubdirectory("phi-images-").FullName;
        using var first = new CudaDevice(0, folder, torch.CPU);
        first.CreateQuantizer(4, 64);
        var before = StandInCompiler.Compilations;

        using var second = new CudaDevice(1, folder, torch.CPU);
        second.CreateQuantizer(4, 64);

        Assert.Equal(before, StandInCompiler.Compilations);
        Directory.Delete(folder, recursive: true);
        _device.EnterThread();
    }

    private void RunChain(IBlockQuantizer quantizer, float[] values)
    {
        _device.EnterThread();
        using var stream = _device.CreateStream()!;
        stream.MakeCurrent();
        using var single = DeviceArray.Of<float>(_device, values);
        using var half = DeviceArray.Garbage(_device, Count * sizeof(ushort));
        using var encoded = DeviceArray.Garbage(_device, quantizer.EncodedLength(Count));
        using var decoded = DeviceArray.Garbage(_device, Count * sizeof(float));
        using var result = DeviceArray.Garbage(_device, sizeof(float));

        _device.Convert(single.Address, ComputePrecision.Fp32, half.Address, ComputePrecision.Bf16, Count);
        quantizer.Encode(half.Address, ComputePrecision.Bf16, encoded.Address, Count);
        quantizer.Decode(encoded.Address, decoded.Address, ComputePrecision.Fp32, Count);
        _device.Add(single.Address, decoded.Address, Count);
        _device.SumOfSquares(decoded.Address, Count, result.Address);

        var sums = decoded.Read<float>();
        for (var i = 0; i < Count; i++)
        {
            Assert.Equal(2 * values[i], sums[i], 0.5f);
        }

        Assert.Equal((float)sums.Sum(value => (double)value * value), result.Read<float>()[0]);
    }
}
