using System.Runtime.InteropServices;
using CsCheck;
using Phi.Training.Optimizer;
using Phi.Training.Zero;

namespace Phi.Training.Tests.Cuda;

/// <summary>Conversion, addition, AdamW and the sum of squares on the GPU against the CPU: any count, any alignment.</summary>
[Collection(GpuStandIn.Name)]
public sealed unsafe class CudaPassesTests(GpuStandIn gpu)
{
    private const int Run = 16;

    private static readonly Gen<(int Count, int Offset, int Seed)> Cases =
        from count in Gen.OneOf(Gen.Int[0, 40], Gen.Int[0, 6000], Gen.Const(70_001))
        from offset in Gen.OneOf(Gen.Const(0), Gen.Int[1, 7])
        from seed in Gen.Int
        select (count, offset, seed);

    [Fact]
    public void Convert_AnyPrecisionToAnyOther_EqualsTheCpu() => Gen.Select(Cases, Gen.Enum<ComputePrecision>(), Gen.Enum<ComputePrecision>()).Sample((c, from, to) =>
    {
        gpu.Device.EnterThread();
        var values = Numbers.Round(Numbers.Random(c.Seed, c.Count, Run), from);
        using var source = DeviceArray.Of<byte>(gpu.Device, values, c.Offset * Numbers.Bytes(from));
        using var target = DeviceArray.Garbage(gpu.Device, c.Count * Numbers.Bytes(to), c.Offset * Numbers.Bytes(to));

        gpu.Device.Convert(source.Address, from, target.Address, to, c.Count);

        Numbers.AssertSame(from == to ? values : Numbers.Round(Numbers.Widen(values, from), to), target.Read<byte>(), to);
    });

    /// <summary>All of them, and for each the fp32 halfway to the next and its neighbours.</summary>
    [Theory]
    [InlineData(ComputePrecision.Bf16)]
    [InlineData(ComputePrecision.Fp16)]
    public void Convert_EveryValueOf16Bits_EqualsTheCpuBothWays(ComputePrecision precision)
    {
        gpu.Device.EnterThread();
        var all = MemoryMarshal.AsBytes<ushort>(Enumerable.Range(0, 65536).Select(bits => (ushort)bits).ToArray()).ToArray();
        using var narrow = DeviceArray.Of<byte>(gpu.Device, all);
        using var wide = DeviceArray.Garbage(gpu.Device, 65536 * sizeof(float));
        gpu.Device.Convert(narrow.Address, precision, wide.Address, ComputePrecision.Fp32, 65536);
        var widened = wide.Read<float>();
        Numbers.AssertSame(Numbers.Widen(all, precision), widened);

        var between = widened.Zip(widened.Skip(1), (a, b) => float.IsFinite(a) && float.IsFinite(b) ? (a + b) / 2 : a).SelectMany(middle => new[] { MathF.BitDecrement(middle), middle, MathF.BitIncrement(middle) }).ToArray();
        using var from = DeviceArray.Of<float>(gpu.Device, between);
        using var to = DeviceArray.Garbage(gpu.Device, between.Length * sizeof(ushort));
        gpu.Device.Convert(from.Address, ComputePrecision.Fp32, to.Address, precision, between.Length);
        Numbers.AssertSame(Numbers.Round(between, precision), to.Read<byte>(), precision);
    }

    [Fact]
    public void Convert_FloatsThatRoundToInfinityOrNot_EqualsTheCpu()
    {
        gpu.Device.EnterThread();
        float[] edges = [65503.996f, 65504, 65519.996f, 65520, 65536, float.MaxValue, 5.9604645e-8f, 2.9802322e-8f, 2.9802326e-8f, 6.1035156e-5f, 6.1035153e-5f, float.Epsilon, -65520, -0f];
        foreach (var precision in new[] { ComputePrecision.Bf16, ComputePrecision.Fp16 })
        {
            using var from = DeviceArray.Of<float>(gpu.Device, edges);
            using var to = DeviceArray.Garbage(gpu.Device, edges.Length * sizeof(ushort));
            gpu.Device.Convert(from.Address, ComputePrecision.Fp32, to.Address, precision, edges.Length);
            Numbers.AssertSame(Numbers.Round(edges, precision), to.Read<byte>(), precision);
        }
    }

    [Fact]
    public void Add_EqualsTheCpu() => Cases.Sample(c =>
    {
        gpu.Device.EnterThread();
        var (values, sums) = (Numbers.Random(c.Seed, c.Count, Run), Numbers.Random(c.Seed + 1, c.Count, Run));
        using var from = DeviceArray.Of<float>(gpu.Device, values, c.Offset * sizeof(float));
        using var to = DeviceArray.Of<float>(gpu.Device, sums, c.Offset % 2 * sizeof(float));

        gpu.Device.Add(from.Address, to.Address, c.Count);

        Numbers.AssertSame(sums.Zip(values, (sum, value) => sum + value).ToArray(), to.Read<float>());
    });

    [Fact]
    public void Update_EqualsTheCpu() => Gen.Select(Cases, Gen.Long[1, 100_000], Gen.Float[1e-6f, 1e-2f], Gen.Float[1e-4f, 1]).Sample((c, step, rate, scale) =>
    {
        gpu.Device.EnterThread();
        var constants = new AdamWStep(new AdamW(), step, rate, scale);
        float[][] arrays = [.. Enumerable.Range(0, 4).Select(i => Numbers.Random(c.Seed + i, c.Count, Run))];
        // What no run has: a negative second moment.
        arrays[3] = [.. arrays[3].Select(MathF.Abs)];
        var devices = arrays.Select(array => DeviceArray.Of<float>(gpu.Device, array, c.Offset * sizeof(float))).ToArray();

        gpu.Device.Update(constants, devices[0].Address, devices[1].Address, devices[2].Address, devices[3].Address, c.Count);

        fixed (float* weights = arrays[0], gradients = arrays[1], first = arrays[2], second = arrays[3])
        {
            AdamW.Update(constants, weights, gradients, first, second, c.Count);
        }

        foreach (var (array, device) in arrays.Zip(devices))
        {
            Numbers.AssertSame(array, device.Read<float>());
            device.Dispose();
        }
    });

    [Fact]
    public void SumOfSquares_IsRightToARounding_AndTheSameAgain() => Cases.Sample(c =>
    {
        gpu.Device.EnterThread();
        var random = new Random(c.Seed);
        var values = Enumerable.Range(0, c.Count).Select(_ => (random.NextSingle() - 0.5f) * 1e3f).ToArray();
        using var from = DeviceArray.Of<float>(gpu.Device, values, c.Offset * sizeof(float));
        using var aligned = DeviceArray.Of<float>(gpu.Device, values);
        using var results = DeviceArray.Garbage(gpu.Device, 3 * sizeof(float));

        gpu.Device.SumOfSquares(from.Address, c.Count, results.Address);
        gpu.Device.SumOfSquares(from.Address, c.Count, results.Address + sizeof(float));
        gpu.Device.SumOfSquares(aligned.Address, c.Count, results.Address + 2 * sizeof(float));

        var sums = results.Read<float>();
        var expected = values.Sum(value => (double)value * value);
        Assert.InRange(sums[0], MathF.BitDecrement((float)expected), MathF.BitIncrement((float)expected));
        Assert.Equal([sums[0], sums[0], sums[0]], sums);
    }, iter: 60, threads: 1);

    [Fact]
    public void SumOfSquares_WithANaNOrAnInfinity_IsNotFinite()
    {
        gpu.Device.EnterThread();
        foreach (var broken in new[] { float.NaN, float.PositiveInfinity, 3e38f })
        {
            var values = Enumerable.Repeat(1f, 5000).ToArray();
            values[4321] = broken;
            using var from = DeviceArray.Of<float>(gpu.Device, values);
            using var result = DeviceArray.Garbage(gpu.Device, sizeof(float));

            gpu.Device.SumOfSquares(from.Address, values.Length, result.Address);

            Assert.False(float.IsFinite(result.Read<float>()[0]));
        }
    }
}
