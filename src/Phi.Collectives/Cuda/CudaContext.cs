using System.Runtime.InteropServices;

namespace Phi.Collectives.Cuda;

/// <summary>The primary context of one GPU, which libtorch uses too. A context is current on a thread; so is a stream.</summary>
public sealed class CudaContext : IDisposable
{
    private const int NameLength = 256;
    private readonly int _device;
    private readonly nint _context;
    private bool _isDisposed;

    /// <exception cref="CudaException">There is no such device.</exception>
    public CudaContext(int ordinal)
    {
        CudaException.ThrowIfFailed(CudaDriver.Init(0), "start");
        CudaException.ThrowIfFailed(CudaDriver.DeviceGetCount(out var count), "count devices");
        if (ordinal < 0 || ordinal >= count)
        {
            throw new CudaException($"there is no CUDA device {ordinal}: this node has {count}; ask for as many accelerators per replica as it has");
        }

        CudaException.ThrowIfFailed(CudaDriver.DeviceGet(out _device, ordinal), $"open device {ordinal}");
        CudaException.ThrowIfFailed(CudaDriver.DevicePrimaryCtxRetain(out _context, _device), $"use device {ordinal}");
        Ordinal = ordinal;
        MakeCurrent();
    }

    public int Ordinal { get; }

    /// <summary>The model, such as "NVIDIA H100 80GB HBM3".</summary>
    public unsafe string Name
    {
        get
        {
            var name = stackalloc byte[NameLength];
            CudaException.ThrowIfFailed(CudaDriver.DeviceGetName(name, NameLength, _device), $"read the name of device {Ordinal}");
            return Marshal.PtrToStringUTF8((nint)name) ?? "";
        }
    }

    /// <summary>Compute capability, such as (9, 0).</summary>
    public (int Major, int Minor) Capability => (Attribute(75), Attribute(76));

    public int Multiprocessors => Attribute(16);

    public PciAddress PciAddress => new(Attribute(50), Attribute(33), Attribute(34));

    /// <summary>Every thread that calls CUDA calls this first.</summary>
    public void MakeCurrent() => CudaException.ThrowIfFailed(CudaDriver.CtxSetCurrent(_context), $"make device {Ordinal} current");

    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            _ = CudaDriver.DevicePrimaryCtxRelease(_device);
        }
    }

    private int Attribute(int attribute)
    {
        CudaException.ThrowIfFailed(CudaDriver.DeviceGetAttribute(out var value, attribute, _device), $"read attribute {attribute} of device {Ordinal}");
        return value;
    }
}
