using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Phi.Training.Kernels.Quantization;

/// <summary>AVX2: 8 values at a time.</summary>
internal readonly unsafe struct Avx2Kernel : IBlockKernel
{
    public static bool IsSupported => Avx2.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int MaxAbsBits(float* x, int count)
    {
        var mask = Vector256.Create(int.MaxValue);
        var (a, b, c, d) = (Vector256<int>.Zero, Vector256<int>.Zero, Vector256<int>.Zero, Vector256<int>.Zero);
        for (var i = 0; i < count; i += 32)
        {
            a = Avx2.Max(a, Vector256.Load((int*)x + i) & mask);
            b = Avx2.Max(b, Vector256.Load((int*)x + i + 8) & mask);
            c = Avx2.Max(c, Vector256.Load((int*)x + i + 16) & mask);
            d = Avx2.Max(d, Vector256.Load((int*)x + i + 24) & mask);
        }

        var all = Avx2.Max(Avx2.Max(a, b), Avx2.Max(c, d));
        var half = Vector128.Max(all.GetLower(), all.GetUpper());
        return Math.Max(Math.Max(half[0], half[1]), Math.Max(half[2], half[3]));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Encode8(float* x, float inverse, byte* codes, int count)
    {
        var factor = Vector256.Create(inverse);
        for (var i = 0; i < count; i += 32)
        {
            Narrow(Round(x + i, factor), Round(x + i + 8, factor), Round(x + i + 16, factor), Round(x + i + 24, factor)).Store((sbyte*)codes + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Encode4(float* x, float inverse, byte* codes, int count)
    {
        var factor = Vector256.Create(inverse);
        for (var i = 0; i < count; i += 64, codes += 32)
        {
            Narrow(Pack(x + i, factor), Pack(x + i + 8, factor), Pack(x + i + 16, factor), Pack(x + i + 24, factor)).Store((sbyte*)codes);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Decode8<TStore>(byte* codes, float scale, float* y, int count)
        where TStore : struct, IVectorStore
    {
        var factor = Vector256.Create(scale);
        for (var i = 0; i < count; i += 8)
        {
            TStore.Store(Scaled(Avx2.ConvertToVector256Int32((sbyte*)codes + i), factor), y + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Decode4<TStore>(byte* codes, float scale, float* y, int count)
        where TStore : struct, IVectorStore
    {
        var factor = Vector256.Create(scale);
        for (var i = 0; i < count; i += 64, codes += 32)
        {
            for (var j = 0; j < 32; j += 8)
            {
                var both = Avx2.ConvertToVector256Int32(codes + j);
                TStore.Store(Scaled(Low(both), factor), y + i + j);
                TStore.Store(Scaled(High(both), factor), y + i + j + 32);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add8(byte* codes, float scale, float* y, int count)
    {
        var factor = Vector256.Create(scale);
        for (var i = 0; i < count; i += 8)
        {
            Add(y + i, Scaled(Avx2.ConvertToVector256Int32((sbyte*)codes + i), factor));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add4(byte* codes, float scale, float* y, int count)
    {
        var factor = Vector256.Create(scale);
        for (var i = 0; i < count; i += 64, codes += 32)
        {
            for (var j = 0; j < 32; j += 8)
            {
                var both = Avx2.ConvertToVector256Int32(codes + j);
                Add(y + i + j, Scaled(Low(both), factor));
                Add(y + i + j + 32, Scaled(High(both), factor));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Round(float* x, Vector256<float> factor) => Avx.ConvertToVector256Int32(Vector256.Load(x) * factor);

    /// <summary>Codes of x[0..8) and x[32..40) as signed bytes, each in a lane of 32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Pack(float* x, Vector256<float> factor)
    {
        var packed = (Round(x, factor) & Vector256.Create(15)) | Avx2.ShiftLeftLogical(Round(x + 32, factor), 4);
        return Avx2.ShiftRightArithmetic(Avx2.ShiftLeftLogical(packed, 24), 24);
    }

    /// <summary>Values within a signed byte, in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> Narrow(Vector256<int> a, Vector256<int> b, Vector256<int> c, Vector256<int> d)
    {
        var mixed = Avx2.PackSignedSaturate(Avx2.PackSignedSaturate(a, b), Avx2.PackSignedSaturate(c, d));
        return Avx2.PermuteVar8x32(mixed.AsInt32(), Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7)).AsSByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Low(Vector256<int> codes) => Avx2.ShiftRightArithmetic(Avx2.ShiftLeftLogical(codes, 28), 28);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> High(Vector256<int> codes) => Avx2.ShiftRightArithmetic(Avx2.ShiftLeftLogical(codes, 24), 28);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Scaled(Vector256<int> codes, Vector256<float> factor) => Avx.ConvertToVector256Single(codes) * factor;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(float* y, Vector256<float> values) => (Vector256.Load(y) + values).Store(y);
}
