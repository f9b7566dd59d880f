using System.Numerics.Tensors;
using Phi.Training.Kernels.Quantization;
using Phi.Training.Zero;

namespace Phi.Training.Devices;

/// <summary>A <see cref="BlockQuantizer"/> over values of any precision: 16-bit ones pass through a block of fp32 on the stack.</summary>
internal sealed unsafe class CpuBlockQuantizer(BlockQuantizer quantizer) : IBlockQuantizer
{
    private const int Chunk = BlockQuantizer.LargestBlock;

    public int Bits => quantizer.Bits;

    public int BlockSize => quantizer.BlockSize;

    public long EncodedLength(long count) => quantizer.EncodedLength(count);

    public void Encode(nint values, ComputePrecision precision, nint encoded, long count)
    {
        if (precision == ComputePrecision.Fp32)
        {
            quantizer.Encode((float*)values, (byte*)encoded, count);
            return;
        }

        var single = stackalloc float[Chunk];
        for (var at = 0L; at < count; at += Chunk)
        {
            var part = Math.Min(Chunk, count - at);
            CpuDevice.ToSingle(values + (nint)at * sizeof(ushort), precision, single, part);
            quantizer.EncodePart(single, (byte*)encoded, at, part, count);
        }
    }

    public void EncodeKeepingErrors(nint values, ComputePrecision precision, nint errors, nint encoded, long count)
    {
        var single = stackalloc float[Chunk];
        for (var at = 0L; at < count; at += Chunk)
        {
            var part = (int)Math.Min(Chunk, count - at);
            var kept = new Span<float>((float*)errors + at, part);
            var scratch = new Span<float>(single, part);
            if (precision == ComputePrecision.Fp32)
            {
                TensorPrimitives.Add(kept, new ReadOnlySpan<float>((float*)values + at, part), kept);
            }
            else
            {
                CpuDevice.ToSingle(values + (nint)at * sizeof(ushort), precision, single, part);
                TensorPrimitives.Add(kept, scratch, kept);
            }

            quantizer.EncodePart((float*)errors + at, (byte*)encoded, at, part, count);
            quantizer.DecodePart((byte*)encoded, single, at, part, count);
            TensorPrimitives.Subtract(kept, scratch, kept);
        }
    }

    public void Decode(nint encoded, nint values, ComputePrecision precision, long count)
    {
        if (precision == ComputePrecision.Fp32)
        {
            quantizer.Decode((byte*)encoded, (float*)values, count);
            return;
        }

        var single = stackalloc float[Chunk];
        for (var at = 0L; at < count; at += Chunk)
        {
            var part = Math.Min(Chunk, count - at);
            quantizer.DecodePart((byte*)encoded, single, at, part, count);
            CpuDevice.FromSingle(single, values + (nint)at * sizeof(ushort), precision, part);
        }
    }

    public void DecodeSum(nint encoded, int sources, long stride, nint sum, long count) =>
        quantizer.DecodeSum((byte*)encoded, sources, stride, (float*)sum, count);

    public void DecodeSumEncode(nint encoded, int sources, long stride, IBlockQuantizer next, nint result, long count) =>
        quantizer.DecodeSumEncode((byte*)encoded, sources, stride, ((CpuBlockQuantizer)next).Quantizer, (byte*)result, count);

    private BlockQuantizer Quantizer => quantizer;
}
