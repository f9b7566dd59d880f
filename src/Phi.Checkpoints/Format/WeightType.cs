using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Phi.Checkpoints.Format;

/// <summary>Number formats of weights in files; values in memory are fp32.</summary>
public enum WeightType
{
    F32,
    F16,
    BF16,
}

/// <summary>Between a file's bytes and fp32 values. Narrowing rounds to nearest even; widening is exact.</summary>
public static class WeightTypes
{
    private const uint InfinityBits = 0x7f800000;
    private const ushort Quiet = 0x40;

    public static int Size(this WeightType type) => type == WeightType.F32 ? sizeof(float) : sizeof(ushort);

    /// <summary>A safetensors dtype; false for those that hold no weights that fp32 represents.</summary>
    public static bool TryParse(string dtype, out WeightType type) => Enum.TryParse(dtype, out type) && Enum.IsDefined(type) && type.ToString() == dtype;

    /// <param name="bytes">values.Length × <see cref="Size"/> bytes.</param>
    public static void Narrow(this WeightType type, ReadOnlySpan<float> values, Span<byte> bytes)
    {
        switch (type)
        {
            case WeightType.F32:
                MemoryMarshal.AsBytes(values).CopyTo(bytes);
                break;
            case WeightType.F16:
                TensorPrimitives.ConvertToHalf(values, MemoryMarshal.Cast<byte, Half>(bytes));
                break;
            default:
                var halves = MemoryMarshal.Cast<byte, ushort>(bytes);
                for (var i = 0; i < values.Length; i++)
                {
                    halves[i] = ToBfloat16(BitConverter.SingleToUInt32Bits(values[i]));
                }

                break;
        }
    }

    /// <param name="bytes">values.Length × <see cref="Size"/> bytes.</param>
    public static void Widen(this WeightType type, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        switch (type)
        {
            case WeightType.F32:
                bytes.CopyTo(MemoryMarshal.AsBytes(values));
                break;
            case WeightType.F16:
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(bytes), values);
                break;
            default:
                var halves = MemoryMarshal.Cast<byte, ushort>(bytes);
                for (var i = 0; i < values.Length; i++)
                {
                    values[i] = BitConverter.UInt32BitsToSingle((uint)halves[i] << 16);
                }

                break;
        }
    }

    private static ushort ToBfloat16(uint bits) =>
        (bits & int.MaxValue) > InfinityBits ? (ushort)((bits >> 16) | Quiet) : (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}
