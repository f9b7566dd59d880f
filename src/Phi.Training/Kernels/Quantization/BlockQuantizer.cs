using System.Runtime.CompilerServices;

namespace Phi.Training.Kernels.Quantization;

/// <summary>
/// Symmetric quantisation by blocks (ZeRO++, arXiv 2306.10209, section 4.1): a block's scale is its largest magnitude over 127 (INT8)
/// or 7 (INT4), rounded up to a bfloat16; a code is the value over the scale, rounded to nearest even. The error of a value is at most
/// half its scale.
/// A block that holds a NaN or an infinity comes back as NaN as a whole: what is broken is seen, not smoothed over.
/// </summary>
public sealed unsafe class BlockQuantizer
{
    public const int SmallestBlock = 64;
    public const int LargestBlock = 2048;
    /// <summary>Below this a block is zero: its scale would be no normal number.</summary>
    private const float Smallest = 1e-35f;
    private const uint LowerHalf = 0xffff;
    /// <summary>Values of which so many bytes are decoded at once go past the caches, as memcpy's do.</summary>
    private const long StreamedBytes = 32 << 20;
    private const int StreamedAlignment = 64;
    private const int InfinityBits = 0x7f800000;
    private readonly float _largestCode;
    private readonly InstructionSet _set;

    /// <param name="bits">4 or 8.</param>
    /// <param name="blockSize">Values that share a scale: a power of two from 64 to 2048.</param>
    /// <param name="set">For tests; every set gives the same bits.</param>
    public BlockQuantizer(int bits, int blockSize, InstructionSet set = InstructionSet.Auto)
    {
        Bits = bits is 4 or 8 ? bits : throw new ArgumentOutOfRangeException(nameof(bits), bits, "quantised codes have 4 or 8 bits");
        BlockSize = blockSize is >= SmallestBlock and <= LargestBlock && (blockSize & (blockSize - 1)) == 0
            ? blockSize
            : throw new ArgumentOutOfRangeException(nameof(blockSize), blockSize, $"a block has a power of two of values, from {SmallestBlock} to {LargestBlock}");
        _largestCode = bits == 8 ? 127 : 7;
        _set = set != InstructionSet.Auto ? set : Avx512Kernel.IsSupported ? InstructionSet.Avx512 : Avx2Kernel.IsSupported ? InstructionSet.Avx2 : InstructionSet.Portable;
    }

    public int Bits { get; }

    public int BlockSize { get; }

    private int CodeBytes => BlockSize * Bits / 8;

    /// <summary>Bytes of the codes of count values, a multiple of the block size; the scales come behind them.</summary>
    public long CodesLength(long count) => count * Bits / 8;

    /// <summary>Bytes of count values: codes, then one bfloat16 scale for each block.</summary>
    public long EncodedLength(long count) => CodesLength(count) + Blocks(count) * sizeof(ushort);

    public void Encode(float* values, byte* encoded, long count) => EncodePart(values, encoded, 0, count, count);

    public void Decode(byte* encoded, float* values, long count) => DecodePart(encoded, values, 0, count, count);

    /// <summary>Encodes values [at, at + part) of a message of count values; at and part are whole blocks.</summary>
    internal void EncodePart(float* values, byte* encoded, long at, long part, long count)
    {
        var codes = encoded + CodesLength(at);
        var scales = Scales(encoded, at, count);
        var blocks = Blocks(part);
        switch (_set)
        {
            case InstructionSet.Avx512:
                Encode<Avx512Kernel>(values, codes, scales, blocks);
                break;
            case InstructionSet.Avx2:
                Encode<Avx2Kernel>(values, codes, scales, blocks);
                break;
            default:
                Encode<PortableKernel>(values, codes, scales, blocks);
                break;
        }
    }

    /// <summary>Decodes values [at, at + part) of a message of count values; at and part are whole blocks.</summary>
    internal void DecodePart(byte* encoded, float* values, long at, long part, long count)
    {
        var codes = encoded + CodesLength(at);
        var scales = Scales(encoded, at, count);
        var blocks = Blocks(part);
        switch (_set)
        {
            case InstructionSet.Avx512:
                Decode<Avx512Kernel>(codes, scales, values, blocks);
                break;
            case InstructionSet.Avx2:
                Decode<Avx2Kernel>(codes, scales, values, blocks);
                break;
            default:
                Decode<PortableKernel>(codes, scales, values, blocks);
                break;
        }
    }

    /// <summary>The sum of what several ranks sent, in their order, in fp32.</summary>
    /// <param name="encoded">Sources, each at a distance of <paramref name="stride"/> bytes from the one before.</param>
    public void DecodeSum(byte* encoded, int sources, long stride, float* sum, long count)
    {
        switch (_set)
        {
            case InstructionSet.Avx512:
                DecodeSum<Avx512Kernel>(encoded, sources, stride, sum, count);
                break;
            case InstructionSet.Avx2:
                DecodeSum<Avx2Kernel>(encoded, sources, stride, sum, count);
                break;
            default:
                DecodeSum<PortableKernel>(encoded, sources, stride, sum, count);
                break;
        }
    }

    /// <summary>Sums what several ranks sent and encodes the sum for the next hop, block by block, without a pass through memory between.</summary>
    public void DecodeSumEncode(byte* encoded, int sources, long stride, BlockQuantizer next, byte* result, long count)
    {
        if (next.BlockSize != BlockSize)
        {
            throw new ArgumentException($"both hops must have one block size; they have {BlockSize} and {next.BlockSize}", nameof(next));
        }

        switch (_set)
        {
            case InstructionSet.Avx512:
                DecodeSumEncode<Avx512Kernel>(encoded, sources, stride, next, result, count);
                break;
            case InstructionSet.Avx2:
                DecodeSumEncode<Avx2Kernel>(encoded, sources, stride, next, result, count);
                break;
            default:
                DecodeSumEncode<PortableKernel>(encoded, sources, stride, next, result, count);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Encode<TKernel>(float* values, byte* codes, ushort* scales, long blocks)
        where TKernel : struct, IBlockKernel
    {
        for (var block = 0L; block < blocks; block++)
        {
            scales[block] = EncodeBlock<TKernel>(values + block * BlockSize, codes + block * CodeBytes);
        }
    }

    private void Decode<TKernel>(byte* codes, ushort* scales, float* values, long blocks)
        where TKernel : struct, IBlockKernel
    {
        if (blocks * BlockSize * sizeof(float) < StreamedBytes || (nint)values % StreamedAlignment != 0)
        {
            Decode<TKernel, CachedStore>(codes, scales, values, blocks);
            return;
        }

        Decode<TKernel, StreamingStore>(codes, scales, values, blocks);
        // Whoever is told that the values are there reads them whole.
        Thread.MemoryBarrier();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Decode<TKernel, TStore>(byte* codes, ushort* scales, float* values, long blocks)
        where TKernel : struct, IBlockKernel
        where TStore : struct, IVectorStore
    {
        for (var block = 0L; block < blocks; block++)
        {
            DecodeBlock<TKernel, TStore>(codes + block * CodeBytes, ToScale(scales[block]), values + block * BlockSize);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void DecodeSum<TKernel>(byte* encoded, int sources, long stride, float* sum, long count)
        where TKernel : struct, IBlockKernel
    {
        for (var block = 0L; block < Blocks(count); block++)
        {
            SumBlock<TKernel>(encoded, sources, stride, block, count, sum + block * BlockSize);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void DecodeSumEncode<TKernel>(byte* encoded, int sources, long stride, BlockQuantizer next, byte* result, long count)
        where TKernel : struct, IBlockKernel
    {
        var sum = stackalloc float[LargestBlock];
        var scales = (ushort*)(result + next.CodesLength(count));
        for (var block = 0L; block < Blocks(count); block++)
        {
            SumBlock<TKernel>(encoded, sources, stride, block, count, sum);
            scales[block] = next.EncodeBlock<TKernel>(sum, result + block * next.CodeBytes);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SumBlock<TKernel>(byte* encoded, int sources, long stride, long block, long count, float* sum)
        where TKernel : struct, IBlockKernel
    {
        for (var source = 0; source < sources; source++)
        {
            var from = encoded + source * stride;
            var scale = ToScale(((ushort*)(from + CodesLength(count)))[block]);
            var codes = from + block * CodeBytes;
            if (source == 0)
            {
                DecodeBlock<TKernel, CachedStore>(codes, scale, sum);
            }
            else if (Bits == 8)
            {
                TKernel.Add8(codes, scale, sum, BlockSize);
            }
            else
            {
                TKernel.Add4(codes, scale, sum, BlockSize);
            }
        }
    }

    /// <summary>Returns the block's scale, as a bfloat16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ushort EncodeBlock<TKernel>(float* values, byte* codes)
        where TKernel : struct, IBlockKernel
    {
        var bits = TKernel.MaxAbsBits(values, BlockSize);
        var largest = BitConverter.Int32BitsToSingle(bits);
        if (bits >= InfinityBits || largest < Smallest)
        {
            Unsafe.InitBlockUnaligned(codes, 0, (uint)CodeBytes);
            return bits >= InfinityBits ? (ushort)(BitConverter.SingleToUInt32Bits(float.NaN) >> 16) : (ushort)0;
        }

        // Rounded up, so that no value is above the largest code.
        var scale = (ushort)((BitConverter.SingleToUInt32Bits(largest / _largestCode) + LowerHalf) >> 16);
        var inverse = 1 / ToScale(scale);
        if (Bits == 8)
        {
            TKernel.Encode8(values, inverse, codes, BlockSize);
        }
        else
        {
            TKernel.Encode4(values, inverse, codes, BlockSize);
        }

        return scale;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void DecodeBlock<TKernel, TStore>(byte* codes, float scale, float* values)
        where TKernel : struct, IBlockKernel
        where TStore : struct, IVectorStore
    {
        if (Bits == 8)
        {
            TKernel.Decode8<TStore>(codes, scale, values, BlockSize);
        }
        else
        {
            TKernel.Decode4<TStore>(codes, scale, values, BlockSize);
        }
    }

    private static float ToScale(ushort bfloat16) => BitConverter.UInt32BitsToSingle((uint)bfloat16 << 16);

    private ushort* Scales(byte* encoded, long at, long count) => (ushort*)(encoded + CodesLength(count)) + Blocks(at);

    private long Blocks(long count) =>
        count % BlockSize == 0 ? count / BlockSize : throw new ArgumentException($"{count} values are no whole number of blocks of {BlockSize}; pad them", nameof(count));
}
