using System.Runtime.InteropServices;
using Phi.Training.Devices;

namespace Phi.Training.Tests.Cuda;

/// <summary>Values in a device's memory at a given distance from an aligned address; what is overrun is told when it is freed.</summary>
internal sealed unsafe class DeviceArray : IDisposable
{
    private readonly IDevice _device;
    private readonly nint _memory;

    private DeviceArray(IDevice device, long bytes, int offset)
    {
        (_device, Bytes, _memory) = (device, bytes, device.Allocate(offset + bytes));
        Address = _memory + offset;
    }

    public nint Address { get; }

    public long Bytes { get; }

    public static DeviceArray Of<T>(IDevice device, ReadOnlySpan<T> values, int offset = 0)
        where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(values);
        var array = new DeviceArray(device, bytes.Length, offset);
        fixed (byte* from = bytes)
        {
            device.Upload((nint)from, array.Address, bytes.Length);
        }

        return array;
    }

    /// <summary>Filled with bytes that are no sensible result.</summary>
    public static DeviceArray Garbage(IDevice device, long bytes, int offset = 0) => Of<byte>(device, Enumerable.Repeat((byte)0x9e, (int)bytes).ToArray(), offset);

    public T[] Read<T>()
        where T : unmanaged
    {
        var values = new T[Bytes / sizeof(T)];
        fixed (T* to = values)
        {
            _device.Download(Address, (nint)to, Bytes);
        }

        return values;
    }

    public void Dispose() => _device.Free(_memory);
}
