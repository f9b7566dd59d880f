using CsCheck;
using Phi.Training.Kernels.Quantization;
using Phi.Training.Zero;

namespace Phi.Training.Tests.Cuda;

/// <summary>The quantiser's kernels against the CPU's, bit by bit: any bits, block size, precision, sources, stride and alignment.</summary>
[Collection(GpuStandIn.Name)]
public sealed unsafe class CudaQuantizerTests(GpuStandIn gpu)
{
    private static readonly Gen<Case> Cases =
        from bits in Among(4, 8)
        from nextBits in Among(4, 8)
        from block in Among(64, 128, 256, 512, 1024, 2048)
        from blocks in Gen.OneOf(Gen.Int[0, 5], Gen.Int[0, 40])
        from precision in Gen.Enum<ComputePrecision>()
        from sources in Gen.OneOf(Gen.Int[1, 4], Gen.Int[5, 17])
        from offset in Among(0, 0, 8, 2, 1)
        from gap in Among(0, 0, 6, 64)
        from seed in Gen.Int
        select new Case(bits, nextBits, block, block * Math.Min(blocks, 8192 / block + 2), precision, sources, offset, gap, seed);

    [Fact]
    public void Encode_EqualsTheCpu() => Each(Encode);

    [Fact]
    public void EncodeKeepingErrors_EqualsTheCpu() => Each(EncodeKeepingErrors);

    [Fact]
    public void Decode_EqualsTheCpu() => Each(Decode);

    [Fact]
    public void DecodeSum_EqualsTheCpu() => Each(DecodeSum);

    [Fact]
    public void DecodeSumEncode_EqualsTheCpu() => Each(DecodeSumEncode);

    /// <summary>More than the grid takes in one turn.</summary>
    [Theory]
    [InlineData(8, 64)]
    [InlineData(4, 64)]
    [InlineData(8, 256)]
    [InlineData(4, 256)]
    public void EveryKernel_OnManyBlocks_EqualsTheCpu(int bits, int block)
    {
        foreach (var precision in Enum.GetValues<ComputePrecision>())
        {
            var c = new Case(bits, 12 - bits, block, (1 << 18) + 3 * block, precision, 2, 0, 0, 5);
            Encode(c);
            EncodeKeepingErrors(c);
            Decode(c);
        }

        var sums = new Case(bits, 12 - bits, block, (1 << 18) + 3 * block, ComputePrecision.Fp32, 3, 0, 0, 6);
        DecodeSum(sums);
        DecodeSumEncode(sums);
    }

    [Fact]
    public void Encode_PartOfABlock_IsRefused()
    {
        var quantizer = gpu.Device.CreateQuantizer(8, 64);

        Assert.Contains("pad them", Assert.Throws<ArgumentException>(() => quantizer.Encode(0, ComputePrecision.Fp32, 0, 65)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DecodeSumEncode_OfAnotherBlockSize_IsRefused()
    {
        var quantizer = gpu.Device.CreateQuantizer(8, 64);
        var next = gpu.Device.CreateQuantizer(8, 128);

        Assert.Contains("one block size", Assert.Throws<ArgumentException>(() => quantizer.DecodeSumEncode(0, 1, 0, next, 0, 128)).Message, StringComparison.Ordinal);
    }

    private void Encode(Case c)
    {
        var values = Numbers.Round(Numbers.Random(c.Seed, c.Count, c.Block), c.Precision);
        using var from = DeviceArray.Of<byte>(gpu.Device, values, c.ValueOffset(c.Precision));
        using var to = DeviceArray.Garbage(gpu.Device, c.Cpu.EncodedLength(c.Count), c.Offset);

        gpu.Device.CreateQuantizer(c.Bits, c.Block).Encode(from.Address, c.Precision, to.Address, c.Count);

        Assert.Equal(EncodeOnCpu(c.Cpu, Numbers.Widen(values, c.Precision)), to.Read<byte>());
    }

    private void EncodeKeepingErrors(Case c)
    {
        var values = Numbers.Round(Numbers.Random(c.Seed, c.Count, c.Block), c.Precision);
        var errors = Numbers.Random(c.Seed + 1, c.Count, c.Block);
        using var from = DeviceArray.Of<byte>(gpu.Device, values, c.ValueOffset(c.Precision));
        using var kept = DeviceArray.Of<float>(gpu.Device, errors, c.ValueOffset(ComputePrecision.Fp32));
        using var to = DeviceArray.Garbage(gpu.Device, c.Cpu.EncodedLength(c.Count), c.Offset);

        gpu.Device.CreateQuantizer(c.Bits, c.Block).EncodeKeepingErrors(from.Address, c.Precision, kept.Address, to.Address, c.Count);

        var sums = errors.Zip(Numbers.Widen(values, c.Precision), (error, value) => error + value).ToArray();
        var encoded = EncodeOnCpu(c.Cpu, sums);
        Assert.Equal(encoded, to.Read<byte>());
        Numbers.AssertSame(sums.Zip(DecodeOnCpu(c.Cpu, encoded, c.Count), (sum, sent) => sum - sent).ToArray(), kept.Read<float>());
    }

    private void Decode(Case c)
    {
        var encoded = EncodeOnCpu(c.Cpu, Numbers.Random(c.Seed, c.Count, c.Block));
        using var from = DeviceArray.Of<byte>(gpu.Device, encoded, c.Offset);
        using var to = DeviceArray.Garbage(gpu.Device, c.Count * Numbers.Bytes(c.Precision), c.ValueOffset(c.Precision));

        gpu.Device.CreateQuantizer(c.Bits, c.Block).Decode(from.Address, to.Address, c.Precision, c.Count);

        Numbers.AssertSame(Numbers.Round(DecodeOnCpu(c.Cpu, encoded, c.Count), c.Precision), to.Read<byte>(), c.Precision);
    }

    private void DecodeSum(Case c)
    {
        var (received, stride) = Received(c);
        using var from = DeviceArray.Of<byte>(gpu.Device, received, c.Offset);
        using var to = DeviceArray.Garbage(gpu.Device, c.Count * sizeof(float), c.ValueOffset(ComputePrecision.Fp32));

        gpu.Device.CreateQuantizer(c.Bits, c.Block).DecodeSum(from.Address, c.Sources, stride, to.Address, c.Count);

        Numbers.AssertSame(SumOnCpu(c, received, stride), to.Read<float>());
    }

    private void DecodeSumEncode(Case c)
    {
        var (received, stride) = Received(c);
        var next = new BlockQuantizer(c.NextBits, c.Block, InstructionSet.Portable);
        using var from = DeviceArray.Of<byte>(gpu.Device, received, c.Offset);
        using var to = DeviceArray.Garbage(gpu.Device, next.EncodedLength(c.Count), c.Offset);

        gpu.Device.CreateQuantizer(c.Bits, c.Block)
            .DecodeSumEncode(from.Address, c.Sources, stride, gpu.Device.CreateQuantizer(c.NextBits, c.Block), to.Address, c.Count);

        Assert.Equal(EncodeOnCpu(next, SumOnCpu(c, received, stride)), to.Read<byte>());
    }

    private static Gen<int> Among(params int[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);

    private void Each(Action<Case> check) => Cases.Sample(c =>
    {
        gpu.Device.EnterThread();
        check(c);
    }, iter: 150);

    /// <summary>What the sources of a case sent, with gaps between them.</summary>
    private static (byte[] Received, long Stride) Received(Case c)
    {
        var stride = c.Cpu.EncodedLength(c.Count) + c.Gap;
        var received = new byte[stride * c.Sources];
        for (var source = 0; source < c.Sources; source++)
        {
            EncodeOnCpu(c.Cpu, Numbers.Random(c.Seed + source, c.Count, c.Block)).CopyTo(received, source * stride);
        }

        return (received, stride);
    }

    private static float[] SumOnCpu(Case c, byte[] received, long stride)
    {
        var sum = new float[c.Count];
        fixed (byte* from = received)
        fixed (float* to = sum)
        {
            c.Cpu.DecodeSum(from, c.Sources, stride, to, c.Count);
        }

        return sum;
    }

    private static byte[] EncodeOnCpu(BlockQuantizer quantizer, float[] values)
    {
        var encoded = new byte[quantizer.EncodedLength(values.Length)];
        fixed (float* from = values)
        fixed (byte* to = encoded)
        {
            quantizer.Encode(from, to, values.Length);
        }

        return encoded;
    }

    private static float[] DecodeOnCpu(BlockQuantizer quantizer, byte[] encoded, int count)
    {
        var values = new float[count];
        fixed (byte* from = encoded)
        fixed (float* to = values)
        {
            quantizer.Decode(from, to, count);
        }

        return values;
    }

    /// <param name="Offset">Of codes from an aligned address, in bytes.</param>
    /// <param name="Gap">Bytes between the messages of two sources.</param>
    private sealed record Case(int Bits, int NextBits, int Block, int Count, ComputePrecision Precision, int Sources, int Offset, int Gap, int Seed)
    {
        public BlockQuantizer Cpu { get; } = new(Bits, Block, InstructionSet.Portable);

        /// <summary>Values lie at a multiple of their own size.</summary>
        public int ValueOffset(ComputePrecision precision) => Offset is 1 or 2 ? Numbers.Bytes(precision) : 0;
    }
}
