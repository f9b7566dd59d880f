using System.Runtime.InteropServices;
using Phi.Training.Kernels;
using Phi.Training.Zero;

namespace Phi.Training.Tests.Cuda;

/// <summary>Values of the three precisions as bytes, and what the CPU makes of them: the reference for the kernels.</summary>
internal static unsafe class Numbers
{
    /// <summary>Every kind of fp32: plain values of many magnitudes, halves between codes, zeros, subnormals, infinities and NaNs.</summary>
    /// <param name="run">Neighbours that share a magnitude and a chance of broken values.</param>
    public static float[] Random(int seed, int count, int run)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (var start = 0; start < count; start += run)
        {
            var kind = random.Next(12);
            var magnitude = MathF.Pow(10, random.Next(-44, 38));
            for (var i = start; i < Math.Min(count, start + run); i++)
            {
                values[i] = kind switch
                {
                    0 => random.Next(2) == 0 ? 0 : -0f,
                    1 => random.Next(-127, 128) / 2f,
                    2 => BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)),
                    3 => random.Next(run) == 0 ? float.NaN : random.NextSingle(),
                    4 => random.Next(run) == 0 ? float.NegativeInfinity : random.NextSingle(),
                    5 => BitConverter.Int32BitsToSingle(random.Next(0x00800000)),
                    6 => random.NextSingle() * 65536,
                    _ => (random.NextSingle() - 0.5f) * magnitude,
                };
            }
        }

        return values;
    }

    public static int Bytes(ComputePrecision precision) => precision == ComputePrecision.Fp32 ? sizeof(float) : sizeof(ushort);

    /// <summary>Rounded to the precision, as its bytes.</summary>
    public static byte[] Round(float[] values, ComputePrecision precision)
    {
        switch (precision)
        {
            case ComputePrecision.Fp32:
                return MemoryMarshal.AsBytes<float>(values).ToArray();
            case ComputePrecision.Fp16:
                return MemoryMarshal.AsBytes<Half>(values.Select(value => (Half)value).ToArray()).ToArray();
            default:
                var rounded = new ushort[values.Length];
                fixed (float* from = values)
                fixed (ushort* to = rounded)
                {
                    Bfloat16Memory.FromSingle(from, to, values.Length);
                }

                return MemoryMarshal.AsBytes<ushort>(rounded).ToArray();
        }
    }

    public static float[] Widen(byte[] values, ComputePrecision precision) => precision switch
    {
        ComputePrecision.Fp32 => MemoryMarshal.Cast<byte, float>(values).ToArray(),
        ComputePrecision.Fp16 => MemoryMarshal.Cast<byte, Half>(values).ToArray().Select(value => (float)value).ToArray(),
        _ => MemoryMarshal.Cast<byte, ushort>(values).ToArray().Select(value => BitConverter.Int32BitsToSingle(value << 16)).ToArray(),
    };

    /// <summary>The same bits, but for which not-a-number it is: processors differ in that.</summary>
    public static void AssertSame(byte[] expected, byte[] actual, ComputePrecision precision)
    {
        Assert.Equal(expected.Length, actual.Length);
        var (wanted, got) = (Widen(expected, precision), Widen(actual, precision));
        for (var i = 0; i < wanted.Length; i++)
        {
            if (BitConverter.SingleToInt32Bits(wanted[i]) != BitConverter.SingleToInt32Bits(got[i]) && !(float.IsNaN(wanted[i]) && float.IsNaN(got[i])))
            {
                Assert.Fail($"value {i} of {wanted.Length} ({precision}): expected {wanted[i]:R} ({BitConverter.SingleToInt32Bits(wanted[i]):x8}), got {got[i]:R} ({BitConverter.SingleToInt32Bits(got[i]):x8})");
            }
        }
    }

    public static void AssertSame(float[] expected, float[] actual) =>
        AssertSame(MemoryMarshal.AsBytes<float>(expected).ToArray(), MemoryMarshal.AsBytes<float>(actual).ToArray(), ComputePrecision.Fp32);
}
