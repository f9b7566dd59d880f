using System.Runtime.InteropServices;

namespace Phi.Training.Kernels;

/// <summary>fp32 values in 64-byte aligned memory that never moves, zero at first.</summary>
public sealed unsafe class NativeBuffer : IDisposable
{
    private float* _memory;

    public NativeBuffer(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        _memory = (float*)NativeMemory.AlignedAlloc((nuint)Math.Max(64, length * sizeof(float)), 64);
        NativeMemory.Clear(_memory, (nuint)(length * sizeof(float)));
    }

    public long Length { get; }

    public nint Address => (nint)Pointer;

    public float* Pointer => _memory is null ? throw new ObjectDisposedException(nameof(NativeBuffer)) : _memory;

    public Span<float> Span => new(Pointer, checked((int)Length));

    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }
}
