using System.Runtime.InteropServices;

namespace Phi.Training.Kernels;

/// <summary>Bytes in 64-byte aligned memory, zero at first. It moves only in <see cref="Reserve"/>.</summary>
internal sealed unsafe class NativeBytes : IDisposable
{
    private byte* _memory;

    public NativeBytes(long length) => Reserve(length);

    public long Length { get; private set; } = -1;

    public nint Address => (nint)Pointer;

    public byte* Pointer => _memory is null ? throw new ObjectDisposedException(nameof(NativeBytes)) : _memory;

    /// <summary>Grows to at least so many bytes; what was there is lost if it grows.</summary>
    public void Reserve(long length)
    {
        if (length <= Length)
        {
            return;
        }

        NativeMemory.AlignedFree(_memory);
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(64, length), 64);
        NativeMemory.Clear(_memory, (nuint)length);
        Length = length;
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }
}
