namespace Phi.Training.Devices;

/// <summary>fp32 values in a device's memory that never move, zero at first.</summary>
public sealed unsafe class DeviceBuffer : IDisposable
{
    private readonly IDevice _device;
    private nint _memory;

    public DeviceBuffer(IDevice device, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        (_device, Length) = (device, length);
        _memory = device.Allocate(length * sizeof(float));
    }

    public long Length { get; }

    public nint Address => _memory != 0 ? _memory : throw new ObjectDisposedException(nameof(DeviceBuffer));

    /// <summary>The values, where they are in the host's memory.</summary>
    /// <exception cref="InvalidOperationException">They are not.</exception>
    internal Span<float> Span => _device is CpuDevice
        ? new((float*)Address, checked((int)Length))
        : throw new InvalidOperationException("the values are in the memory of an accelerator; download them");

    /// <summary>Address of one value.</summary>
    public nint At(long index) => Address + checked((nint)(index * sizeof(float)));

    public void Clear() => _device.Clear(Address, Length * sizeof(float));

    public void Upload(ReadOnlySpan<float> values, long at)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(at + values.Length, Length, nameof(at));
        fixed (float* host = values)
        {
            _device.Upload((nint)host, At(at), values.Length * (long)sizeof(float));
        }
    }

    public void Dispose()
    {
        if (_memory != 0)
        {
            _device.Free(_memory);
            _memory = 0;
        }
    }
}
