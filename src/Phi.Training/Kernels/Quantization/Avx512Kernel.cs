using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Phi.Training.Kernels.Quantization;

/// <summary>AVX-512: 16 values at a time.</summary>
internal readonly unsafe struct Avx512Kernel : IBlockKernel
{
    /// <summary>Values ahead of which memory is asked for while a block is encoded: its own values are in the cache by then, and the bus would be idle.</summary>
    private const int Ahead = 1024;

    public static bool IsSupported => Avx512F.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int MaxAbsBits(float* x, int count)
    {
        var mask = Vector512.Create(int.MaxValue);
        var (a, b, c, d) = (Vector512<int>.Zero, Vector512<int>.Zero, Vector512<int>.Zero, Vector512<int>.Zero);
        for (var i = 0; i < count; i += 64)
        {
            a = Avx512F.Max(a, Vector512.Load((int*)x + i) & mask);
            b = Avx512F.Max(b, Vector512.Load((int*)x + i + 16) & mask);
            c = Avx512F.Max(c, Vector512.Load((int*)x + i + 32) & mask);
            d = Avx512F.Max(d, Vector512.Load((int*)x + i + 48) & mask);
        }

        var all = Avx512F.Max(Avx512F.Max(a, b), Avx512F.Max(c, d));
        var half = Vector256.Max(all.GetLower(), all.GetUpper());
        var quarter = Vector128.Max(half.GetLower(), half.GetUpper());
        return Math.Max(Math.Max(quarter[0], quarter[1]), Math.Max(quarter[2], quarter[3]));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Encode8(float* x, float inverse, byte* codes, int count)
    {
        var factor = Vector512.Create(inverse);
        for (var i = 0; i < count; i += 16)
        {
            Sse.Prefetch0(x + i + Ahead);
            Avx512F.ConvertToVector128SByteWithSaturation(Round(x + i, factor)).Store((sbyte*)codes + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Encode4(float* x, float inverse, byte* codes, int count)
    {
        var factor = Vector512.Create(inverse);
        for (var i = 0; i < count; i += 64, codes += 32)
        {
            Sse.Prefetch0(x + i + Ahead);
            Sse.Prefetch0(x + i + Ahead + 16);
            Sse.Prefetch0(x + i + Ahead + 32);
            Sse.Prefetch0(x + i + Ahead + 48);
            Pack(Round(x + i, factor), Round(x + i + 32, factor)).Store(codes);
            Pack(Round(x + i + 16, factor), Round(x + i + 48, factor)).Store(codes + 16);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Decode8<TStore>(byte* codes, float scale, float* y, int count)
        where TStore : struct, IVectorStore
    {
        var factor = Vector512.Create(scale);
        for (var i = 0; i < count; i += 16)
        {
            TStore.Store(Scaled(Avx512F.ConvertToVector512Int32(Vector128.Load((sbyte*)codes + i)), factor), y + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Decode4<TStore>(byte* codes, float scale, float* y, int count)
        where TStore : struct, IVectorStore
    {
        var factor = Vector512.Create(scale);
        for (var i = 0; i < count; i += 64, codes += 32)
        {
            var first = Avx512F.ConvertToVector512Int32(Vector128.Load(codes));
            var second = Avx512F.ConvertToVector512Int32(Vector128.Load(codes + 16));
            TStore.Store(Scaled(Low(first), factor), y + i);
            TStore.Store(Scaled(Low(second), factor), y + i + 16);
            TStore.Store(Scaled(High(first), factor), y + i + 32);
            TStore.Store(Scaled(High(second), factor), y + i + 48);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add8(byte* codes, float scale, float* y, int count)
    {
        var factor = Vector512.Create(scale);
        for (var i = 0; i < count; i += 16)
        {
            Add(y + i, Scaled(Avx512F.ConvertToVector512Int32(Vector128.Load((sbyte*)codes + i)), factor));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add4(byte* codes, float scale, float* y, int count)
    {
        var factor = Vector512.Create(scale);
        for (var i = 0; i < count; i += 64, codes += 32)
        {
            var first = Avx512F.ConvertToVector512Int32(Vector128.Load(codes));
            var second = Avx512F.ConvertToVector512Int32(Vector128.Load(codes + 16));
            Add(y + i, Scaled(Low(first), factor));
            Add(y + i + 16, Scaled(Low(second), factor));
            Add(y + i + 32, Scaled(High(first), factor));
            Add(y + i + 48, Scaled(High(second), factor));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Round(float* x, Vector512<float> factor) => Avx512F.ConvertToVector512Int32(Vector512.Load(x) * factor);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Pack(Vector512<int> low, Vector512<int> high) =>
        Avx512F.ConvertToVector128Byte(((low & Vector512.Create(15)) | Vector512.ShiftLeft(high & Vector512.Create(15), 4)).AsUInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Low(Vector512<int> codes) => Vector512.ShiftRightArithmetic(Vector512.ShiftLeft(codes, 28), 28);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> High(Vector512<int> codes) => Vector512.ShiftRightArithmetic(Vector512.ShiftLeft(codes, 24), 28);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Scaled(Vector512<int> codes, Vector512<float> factor) => Avx512F.ConvertToVector512Single(codes) * factor;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(float* y, Vector512<float> values) => (Vector512.Load(y) + values).Store(y);
}
