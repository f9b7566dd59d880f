using Phi.Benchmarks.Benches;
using Phi.Benchmarks.Reports;
using Phi.Training.Devices;
using Phi.Training.Zero;

namespace Phi.Benchmarks.Gpu;

/// <summary>
/// The GPU's conversions between precisions against the CPU's: every 16-bit value, and every fp32 around the middle between two. On other
/// machines tests run integer arithmetic in their place, so this is where the GPU's instructions are checked.
/// </summary>
internal static unsafe class GpuConversionCheck
{
    private const int Patterns = 1 << 16;
    private const ushort QuietNaN = 0x7fc0;

    public static IEnumerable<Metric> Run(CudaDevice device) => [Check(device, ComputePrecision.Bf16), Check(device, ComputePrecision.Fp16)];

    private static Metric Check(CudaDevice device, ComputePrecision precision)
    {
        var narrow = Enumerable.Range(0, Patterns).Select(bits => (ushort)bits).ToArray();
        var wide = narrow.Select(bits => Widen(bits, precision)).ToArray();
        var middles = wide.Zip(wide.Skip(1), (a, b) => float.IsFinite(a) && float.IsFinite(b) ? (a + b) / 2 : a)
            .SelectMany(middle => new[] { MathF.BitDecrement(middle), middle, MathF.BitIncrement(middle) }).ToArray();

        var widened = new float[Patterns];
        var narrowed = new ushort[middles.Length];
        fixed (ushort* from = narrow, back = narrowed)
        fixed (float* to = widened, between = middles)
        {
            Convert(device, (nint)from, precision, (nint)to, ComputePrecision.Fp32, Patterns);
            Convert(device, (nint)between, ComputePrecision.Fp32, (nint)back, precision, middles.Length);
        }

        var differing = wide.Zip(widened).Count(pair => !AreSame(pair.First, pair.Second))
            + middles.Select(value => Round(value, precision)).Zip(narrowed).Count(pair => !AreSame(Widen(pair.First, precision), Widen(pair.Second, precision)));
        return Metric.AtMost($"convert {precision} both ways: differ from the CPU's", differing, $"of {Patterns + middles.Length} values", 0);
    }

    private static void Convert(CudaDevice device, nint from, ComputePrecision fromPrecision, nint to, ComputePrecision toPrecision, int count)
    {
        var (source, target) = (device.Allocate(count * sizeof(float)), device.Allocate(count * sizeof(float)));
        device.Upload(from, source, (long)count * (fromPrecision == ComputePrecision.Fp32 ? sizeof(float) : sizeof(ushort)));
        device.Convert(source, fromPrecision, target, toPrecision, count);
        device.Download(target, to, (long)count * (toPrecision == ComputePrecision.Fp32 ? sizeof(float) : sizeof(ushort)));
        device.Free(source);
        device.Free(target);
    }

    private static float Widen(ushort bits, ComputePrecision precision) =>
        precision == ComputePrecision.Fp16 ? (float)BitConverter.UInt16BitsToHalf(bits) : BitConverter.UInt32BitsToSingle((uint)bits << 16);

    private static ushort Round(float value, ComputePrecision precision)
    {
        if (precision == ComputePrecision.Fp16)
        {
            return BitConverter.HalfToUInt16Bits((Half)value);
        }

        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? QuietNaN : (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>Any not-a-number is any other: processors differ in which one they make.</summary>
    private static bool AreSame(float a, float b) => BitConverter.SingleToInt32Bits(a) == BitConverter.SingleToInt32Bits(b) || (float.IsNaN(a) && float.IsNaN(b));
}
