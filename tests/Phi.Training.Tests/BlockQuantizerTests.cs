using CsCheck;
using Phi.Training.Devices;
using Phi.Training.Kernels.Quantization;

namespace Phi.Training.Tests;

/// <summary>Quantisers of every instruction set against each other and against their analytic bound.</summary>
public sealed unsafe class BlockQuantizerTests
{
    private static readonly InstructionSet[] Sets =
    [
        InstructionSet.Portable,
        .. System.Runtime.Intrinsics.X86.Avx2.IsSupported ? [InstructionSet.Avx2] : Array.Empty<InstructionSet>(),
        .. System.Runtime.Intrinsics.X86.Avx512F.IsSupported ? [InstructionSet.Avx512] : Array.Empty<InstructionSet>(),
    ];

    private static readonly Gen<(int Bits, int Block, int Sources, float[] Values)> Cases =
        from bits in Gen.OneOf(Gen.Const(4), Gen.Const(8))
        from block in Gen.OneOf(Gen.Const(64), Gen.Const(128), Gen.Const(256), Gen.Const(2048))
        from blocks in Gen.Int[0, 4]
        from sources in Gen.Int[1, 3]
        from magnitude in Gen.Int[-44, 37]
        from values in Gen.Float[-1, 1].Array[block * blocks * sources]
        select (bits, block, sources, values.Select(value => value * MathF.Pow(10, magnitude)).ToArray());

    [Fact]
    public void Decode_OfEncoded_IsWithinHalfAScale() => Cases.Sample(c =>
    {
        var quantizer = new BlockQuantizer(c.Bits, c.Block);
        var decoded = Decode(quantizer, Encode(quantizer, c.Values), c.Values.Length);
        for (var i = 0; i < decoded.Length; i++)
        {
            var largest = c.Values.Skip(i / c.Block * c.Block).Take(c.Block).Max(MathF.Abs);
            // Half a step, whose scale was rounded up to 8 significant bits, and what fp32 roundings add; below 1e-35 all is zero.
            var bound = largest / (c.Bits == 8 ? 127 : 7) * 0.5f * (1 + 1 / 128f + 1e-4f) + 1e-35f;
            Assert.True(MathF.Abs(decoded[i] - c.Values[i]) <= bound, $"{c.Values[i]:R} became {decoded[i]:R}, bound {bound:R}");
        }
    });

    [Fact]
    public void EveryInstructionSet_GivesTheSameBits() => Cases.Sample(c =>
    {
        var count = c.Values.Length / c.Sources;
        var results = Sets.Select(set => All(set, c.Bits, c.Block, c.Sources, c.Values, count)).ToList();
        Assert.All(results, result => Assert.Equal(results[0], result));
    });

    [Fact]
    public void Decode_MoreThanTheCachesHold_HasTheBitsOfItsParts()
    {
        const int Block = 256;
        const int Part = 1 << 16;
        const long Count = (9 << 20) + Block;
        var encoded = new byte[new BlockQuantizer(8, Block).EncodedLength(Count)];
        new Random(3).NextBytes(encoded);
        using var whole = new DeviceBuffer(CpuDevice.Instance, Count);
        var part = new float[Part];
        foreach (var (set, bits) in Sets.SelectMany(set => new[] { (set, 4), (set, 8) }))
        {
            var quantizer = new BlockQuantizer(bits, Block, set);
            fixed (byte* from = encoded)
            fixed (float* to = part)
            {
                quantizer.Decode(from, (float*)whole.Address, Count);
                for (var at = 0L; at < Count; at += Part)
                {
                    var length = (int)Math.Min(Part, Count - at);
                    quantizer.DecodePart(from, to, at, length, Count);
                    Assert.True(System.Runtime.InteropServices.MemoryMarshal.AsBytes(part.AsSpan(0, length)).SequenceEqual(System.Runtime.InteropServices.MemoryMarshal.AsBytes(whole.Span.Slice((int)at, length))));
                }
            }
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Encode_NonFiniteValue_MakesItsBlockNaNAndNoOther(float broken)
    {
        foreach (var (set, bits) in Sets.SelectMany(set => new[] { (set, 4), (set, 8) }))
        {
            var quantizer = new BlockQuantizer(bits, 64, set);
            var values = Enumerable.Repeat(1f, 192).ToArray();
            values[100] = broken;

            var decoded = Decode(quantizer, Encode(quantizer, values), values.Length);

            Assert.All(decoded[64..128], value => Assert.True(float.IsNaN(value)));
            Assert.All(decoded[..64].Concat(decoded[128..]), value => Assert.Equal(1f, value, 0.08f));
        }
    }

    [Fact]
    public void DecodeSum_IsTheSumInRankOrder_AndReencodesTheSame()
    {
        const int Count = 512;
        const int Sources = 3;
        var quantizer = new BlockQuantizer(8, 128);
        var next = new BlockQuantizer(4, 128);
        var values = Enumerable.Range(0, Count * Sources).Select(i => MathF.Sin(i)).ToArray();
        var parts = values.Chunk(Count).Select(part => Encode(quantizer, part)).ToList();
        var expected = new float[Count];
        foreach (var decoded in parts.Select(part => Decode(quantizer, part, Count)))
        {
            expected = [.. expected.Zip(decoded, (a, b) => a + b)];
        }

        var sum = new float[Count];
        var reencoded = new byte[next.EncodedLength(Count)];
        var joined = parts.SelectMany(part => part).ToArray();
        fixed (byte* from = joined, to = reencoded)
        fixed (float* into = sum)
        {
            quantizer.DecodeSum(from, Sources, quantizer.EncodedLength(Count), into, Count);
            quantizer.DecodeSumEncode(from, Sources, quantizer.EncodedLength(Count), next, to, Count);
        }

        Assert.Equal(expected, sum);
        Assert.Equal(Encode(next, expected), reencoded);
    }

    [Theory]
    [InlineData(3, 256, "4 or 8 bits")]
    [InlineData(8, 100, "power of two")]
    [InlineData(8, 32, "from 64 to 2048")]
    public void Constructor_WhatCannotBe_NamesTheRule(int bits, int block, string rule) =>
        Assert.Contains(rule, Assert.Throws<ArgumentOutOfRangeException>(() => new BlockQuantizer(bits, block)).Message, StringComparison.Ordinal);

    [Fact]
    public void Encode_PartOfABlock_IsRefused() =>
        Assert.Contains("pad them", Assert.Throws<ArgumentException>(() => Encode(new BlockQuantizer(8, 64), new float[65])).Message, StringComparison.Ordinal);

    private static byte[] All(InstructionSet set, int bits, int block, int sources, float[] values, int count)
    {
        var quantizer = new BlockQuantizer(bits, block, set);
        var next = new BlockQuantizer(12 - bits, block, set);
        var joined = values.Chunk(Math.Max(1, count)).SelectMany(part => Encode(quantizer, part)).ToArray();
        var decoded = new float[count];
        var sum = new float[count];
        var reencoded = new byte[next.EncodedLength(count)];
        fixed (byte* from = joined, to = reencoded)
        fixed (float* one = decoded, all = sum)
        {
            if (count > 0)
            {
                quantizer.Decode(from, one, count);
                quantizer.DecodeSum(from, sources, quantizer.EncodedLength(count), all, count);
                quantizer.DecodeSumEncode(from, sources, quantizer.EncodedLength(count), next, to, count);
            }
        }

        return [.. joined, .. System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(decoded), .. System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(sum), .. reencoded];
    }

    private static byte[] Encode(BlockQuantizer quantizer, float[] values)
    {
        var encoded = new byte[quantizer.EncodedLength(values.Length)];
        fixed (float* from = values)
        fixed (byte* to = encoded)
        {
            quantizer.Encode(from, to, values.Length);
        }

        return encoded;
    }

    private static float[] Decode(BlockQuantizer quantizer, byte[] encoded, int count)
    {
        var values = new float[count];
        fixed (byte* from = encoded)
        fixed (float* to = values)
        {
            quantizer.Decode(from, to, count);
        }

        return values;
    }
}
