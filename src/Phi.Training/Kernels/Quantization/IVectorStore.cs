using System.Runtime.Intrinsics;

namespace Phi.Training.Kernels.Quantization;

/// <summary>How decoded values are written.</summary>
internal unsafe interface IVectorStore
{
    static abstract void Store(Vector256<float> values, float* to);

    static abstract void Store(Vector512<float> values, float* to);
}

/// <summary>Through the caches: for values that are read soon.</summary>
internal readonly unsafe struct CachedStore : IVectorStore
{
    public static void Store(Vector256<float> values, float* to) => values.Store(to);

    public static void Store(Vector512<float> values, float* to) => values.Store(to);
}

/// <summary>
/// Past the caches, to addresses of whole vectors: what does not fit there need not be read before it is written, nor push out what does.
/// A fence comes after the last.
/// </summary>
internal readonly unsafe struct StreamingStore : IVectorStore
{
    public static void Store(Vector256<float> values, float* to) => values.StoreAlignedNonTemporal(to);

    public static void Store(Vector512<float> values, float* to) => values.StoreAlignedNonTemporal(to);
}
