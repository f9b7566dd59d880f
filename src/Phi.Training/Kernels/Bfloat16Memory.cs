using System.Runtime.Intrinsics;

namespace Phi.Training.Kernels;

/// <summary>bfloat16 values in memory, as the upper half of an fp32; rounding is to nearest even, and not-a-number stays one.</summary>
internal static unsafe class Bfloat16Memory
{
    private const uint InfinityBits = 0x7f800000;
    private const ushort Quiet = 0x40;

    public static void FromSingle(float* from, ushort* to, long count)
    {
        var i = 0L;
        for (; i + Vector256<ushort>.Count <= count; i += Vector256<ushort>.Count)
        {
            Vector256.Narrow(Rounded(Vector256.Load((uint*)from + i)), Rounded(Vector256.Load((uint*)from + i + Vector256<uint>.Count))).Store(to + i);
        }

        for (; i < count; i++)
        {
            var bits = BitConverter.SingleToUInt32Bits(from[i]);
            to[i] = (bits & int.MaxValue) > InfinityBits ? (ushort)((bits >> 16) | Quiet) : (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
        }
    }

    public static void ToSingle(ushort* from, float* to, long count)
    {
        var i = 0L;
        for (; i + Vector256<ushort>.Count <= count; i += Vector256<ushort>.Count)
        {
            var (low, high) = Vector256.Widen(Vector256.Load(from + i));
            Vector256.ShiftLeft(low, 16).Store((uint*)to + i);
            Vector256.ShiftLeft(high, 16).Store((uint*)to + i + Vector256<uint>.Count);
        }

        for (; i < count; i++)
        {
            to[i] = BitConverter.UInt32BitsToSingle((uint)from[i] << 16);
        }
    }

    private static Vector256<uint> Rounded(Vector256<uint> bits)
    {
        var upper = Vector256.ShiftRightLogical(bits, 16);
        var rounded = Vector256.ShiftRightLogical(bits + Vector256.Create(0x7fffu) + (upper & Vector256<uint>.One), 16);
        var isNaN = Vector256.GreaterThan((bits & Vector256.Create((uint)int.MaxValue)).AsInt32(), Vector256.Create((int)InfinityBits)).AsUInt32();
        return Vector256.ConditionalSelect(isNaN, upper | Vector256.Create((uint)Quiet), rounded);
    }
}
