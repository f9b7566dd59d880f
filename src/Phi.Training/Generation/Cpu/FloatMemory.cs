using System.Runtime.InteropServices;

namespace Phi.Training.Generation.Cpu;

/// <summary>fp32 values in the host's memory, zero at first, 64-byte aligned. A page that is never touched takes no memory: a cache costs what it holds.</summary>
internal sealed unsafe class FloatMemory : IDisposable
{
    private const int Alignment = 64;
    private void* _allocated;

    public FloatMemory(long length)
    {
        Length = length;
        _allocated = NativeMemory.AllocZeroed(checked((nuint)length * sizeof(float) + Alignment));
        Address = (float*)(((nint)_allocated + Alignment - 1) & -Alignment);
    }

    public long Length { get; }

    public float* Address { get; }

    public void Dispose()
    {
        NativeMemory.Free(_allocated);
        _allocated = null;
    }
}
