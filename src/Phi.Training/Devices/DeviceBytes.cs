namespace Phi.Training.Devices;

/// <summary>Bytes in a device's memory, zero at first. They move only in <see cref="Reserve"/>.</summary>
internal sealed class DeviceBytes : IDisposable
{
    private readonly IDevice _device;
    private nint _memory;

    public DeviceBytes(IDevice device, long length)
    {
        _device = device;
        Reserve(length);
    }

    public long Length { get; private set; } = -1;

    public nint Address => _memory != 0 ? _memory : throw new ObjectDisposedException(nameof(DeviceBytes));

    /// <summary>Grows to at least so many bytes; what was there is lost if it grows.</summary>
    public void Reserve(long length)
    {
        if (length <= Length)
        {
            return;
        }

        Dispose();
        _memory = _device.Allocate(length);
        Length = length;
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
