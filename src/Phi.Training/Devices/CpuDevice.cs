using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Phi.Collectives.Cuda;
using Phi.Training.Kernels;
using Phi.Training.Kernels.Quantization;
using Phi.Training.Optimizer;
using Phi.Training.Zero;
using static TorchSharp.torch;

namespace Phi.Training.Devices;

/// <summary>The host's memory and processor.</summary>
public sealed unsafe class CpuDevice : IDevice
{
    private const int Chunk = 1024;

    public static CpuDevice Instance { get; } = new();

    public Device Torch => CPU;

    public void EnterThread()
    {
    }

    public CudaStream? CreateStream() => null;

    public CudaEvent? CreateEvent() => null;

    public nint Allocate(long bytes)
    {
        var memory = NativeMemory.AlignedAlloc((nuint)Math.Max(64, bytes), 64);
        NativeMemory.Clear(memory, (nuint)bytes);
        return (nint)memory;
    }

    public void Free(nint memory) => NativeMemory.AlignedFree((void*)memory);

    public nint AllocateHost(long bytes) => Allocate(bytes);

    public void FreeHost(nint memory) => Free(memory);

    public void Clear(nint memory, long bytes) => NativeMemory.Clear((void*)memory, (nuint)bytes);

    public void Copy(nint from, nint to, long bytes) => Buffer.MemoryCopy((void*)from, (void*)to, bytes, bytes);

    public void Upload(nint host, nint to, long bytes) => Copy(host, to, bytes);

    public void Download(nint from, nint host, long bytes) => Copy(from, host, bytes);

    public void Convert(nint from, ComputePrecision fromPrecision, nint to, ComputePrecision toPrecision, long count)
    {
        if (fromPrecision == toPrecision)
        {
            Copy(from, to, count * fromPrecision.ElementBytes);
        }
        else if (toPrecision == ComputePrecision.Fp32)
        {
            ToSingle(from, fromPrecision, (float*)to, count);
        }
        else if (fromPrecision == ComputePrecision.Fp32)
        {
            FromSingle((float*)from, to, toPrecision, count);
        }
        else
        {
            var single = stackalloc float[Chunk];
            for (var at = 0L; at < count; at += Chunk)
            {
                var part = Math.Min(Chunk, count - at);
                ToSingle(from + (nint)at * sizeof(ushort), fromPrecision, single, part);
                FromSingle(single, to + (nint)at * sizeof(ushort), toPrecision, part);
            }
        }
    }

    public void Add(nint values, nint sums, long count)
    {
        for (var at = 0L; at < count; at += int.MaxValue / 2)
        {
            var sum = new Span<float>((float*)sums + at, (int)Math.Min(count - at, int.MaxValue / 2));
            TensorPrimitives.Add(sum, new ReadOnlySpan<float>((float*)values + at, sum.Length), sum);
        }
    }

    public void SumOfSquares(nint values, long count, nint result) =>
        *(float*)result = TensorPrimitives.SumOfSquares<float>(new ReadOnlySpan<float>((void*)values, checked((int)count)));

    public void Update(AdamWStep step, nint weights, nint gradients, nint firstMoments, nint secondMoments, long count) =>
        AdamW.Update(step, (float*)weights, (float*)gradients, (float*)firstMoments, (float*)secondMoments, count);

    public IBlockQuantizer CreateQuantizer(int bits, int blockSize) => new CpuBlockQuantizer(new BlockQuantizer(bits, blockSize));

    public void Dispose()
    {
    }

    internal static void ToSingle(nint from, ComputePrecision precision, float* to, long count)
    {
        if (precision == ComputePrecision.Bf16)
        {
            Bfloat16Memory.ToSingle((ushort*)from, to, count);
        }
        else
        {
            TensorPrimitives.ConvertToSingle(new ReadOnlySpan<Half>((void*)from, checked((int)count)), new Span<float>(to, checked((int)count)));
        }
    }

    internal static void FromSingle(float* from, nint to, ComputePrecision precision, long count)
    {
        if (precision == ComputePrecision.Bf16)
        {
            Bfloat16Memory.FromSingle(from, (ushort*)to, count);
        }
        else
        {
            TensorPrimitives.ConvertToHalf(new ReadOnlySpan<float>(from, checked((int)count)), new Span<Half>((void*)to, checked((int)count)));
        }
    }
}
