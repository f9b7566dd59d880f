using System.Runtime.InteropServices;
using Phi.Collectives.Cuda;
using Phi.Training.Kernels.Cuda;
using Phi.Training.Kernels.Quantization;
using Phi.Training.Zero;

namespace Phi.Training.Devices;

/// <summary>Launches the kernels of quantize.cu, compiled for its bits and block size, into the calling thread's stream.</summary>
internal sealed class CudaBlockQuantizer : IBlockQuantizer
{
    private const int Threads = 256;
    private const int BlocksPerMultiprocessor = 8;
    private const int ValuesPerThread = 8;
    private readonly BlockQuantizer _format;
    private readonly int _largestGrid;
    private readonly KernelPair[] _encode;
    private readonly KernelPair[] _encodeKeepingErrors;
    private readonly KernelPair[] _decode;
    private readonly KernelPair _decodeSum;
    private readonly KernelPair _decodeSumEncode4;
    private readonly KernelPair _decodeSumEncode8;

    /// <param name="format">Of the same bits and block size: lengths and rules.</param>
    /// <param name="module">quantize.cu, compiled for them.</param>
    public CudaBlockQuantizer(BlockQuantizer format, CudaModule module, int multiprocessors)
    {
        _format = format;
        _largestGrid = multiprocessors * BlocksPerMultiprocessor;
        _encode = OfEachPrecision("encode");
        _encodeKeepingErrors = OfEachPrecision("encode_keeping_errors");
        _decode = OfEachPrecision("decode");
        _decodeSum = KernelPair.Of(module, "decode_sum");
        _decodeSumEncode4 = KernelPair.Of(module, "decode_sum_encode_4");
        _decodeSumEncode8 = KernelPair.Of(module, "decode_sum_encode_8");

        KernelPair[] OfEachPrecision(string name) => [.. Enum.GetValues<ComputePrecision>().Select(precision => KernelPair.Of(module, $"{name}_{CudaPasses.Suffix(precision)}"))];
    }

    public int Bits => _format.Bits;

    public int BlockSize => _format.BlockSize;

    public long EncodedLength(long count) => _format.EncodedLength(count);

    public void Encode(nint values, ComputePrecision precision, nint encoded, long count) =>
        Launch(_encode[(int)precision], new Arguments { Values = values, Encoded = encoded }, count);

    public void EncodeKeepingErrors(nint values, ComputePrecision precision, nint errors, nint encoded, long count) =>
        Launch(_encodeKeepingErrors[(int)precision], new Arguments { Values = values, Errors = errors, Encoded = encoded }, count);

    public void Decode(nint encoded, nint values, ComputePrecision precision, long count) =>
        Launch(_decode[(int)precision], new Arguments { Values = values, Encoded = encoded }, count);

    public void DecodeSum(nint encoded, int sources, long stride, nint sum, long count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sources, 1);
        Launch(_decodeSum, new Arguments { Values = sum, Encoded = encoded, Stride = stride, Sources = sources }, count);
    }

    public void DecodeSumEncode(nint encoded, int sources, long stride, IBlockQuantizer next, nint result, long count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sources, 1);
        if (next.BlockSize != BlockSize)
        {
            throw new ArgumentException($"both hops must have one block size; they have {BlockSize} and {next.BlockSize}", nameof(next));
        }

        var kernels = next.Bits == 4 ? _decodeSumEncode4 : _decodeSumEncode8;
        Launch(kernels, new Arguments { Encoded = encoded, Result = result, Stride = stride, Sources = sources }, count);
    }

    private void Launch(KernelPair kernels, Arguments arguments, long count)
    {
        // Refuses a part of a block.
        _ = _format.EncodedLength(count);
        if (count > 0)
        {
            var grid = (int)Math.Clamp((count / ValuesPerThread + Threads - 1) / Threads, 1, _largestGrid);
            kernels.For(arguments.IsAligned).Launch(grid, Threads, arguments with { Blocks = count / BlockSize });
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private record struct Arguments
    {
        public nint Values;
        public nint Errors;
        public nint Encoded;
        public nint Result;
        public long Blocks;
        public long Stride;
        public int Sources;

        /// <summary>Values are read and written 16 bytes at a time, codes up to 8.</summary>
        public readonly bool IsAligned => (Values | Errors) % 16 == 0 && (Encoded | Result | (nint)Stride) % 8 == 0;
    }
}
