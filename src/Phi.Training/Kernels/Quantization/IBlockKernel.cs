namespace Phi.Training.Kernels.Quantization;

/// <summary>
/// The inner loops of one instruction set, over counts that are multiples of 64. All give the same bits: each operation is one IEEE
/// operation (no fused multiply-add), rounding is to nearest even, and maxima are taken on the bits of absolute values.
/// INT4 packs 64 values into 32 bytes: byte j holds value j in its low half and value j + 32 in its high half.
/// </summary>
internal unsafe interface IBlockKernel
{
    /// <summary>The largest of the bits of |x|: for non-negative floats, order of bits is order of values, and not-a-number is above all.</summary>
    static abstract int MaxAbsBits(float* x, int count);

    static abstract void Encode8(float* x, float inverse, byte* codes, int count);

    static abstract void Encode4(float* x, float inverse, byte* codes, int count);

    static abstract void Decode8<TStore>(byte* codes, float scale, float* y, int count)
        where TStore : struct, IVectorStore;

    static abstract void Decode4<TStore>(byte* codes, float scale, float* y, int count)
        where TStore : struct, IVectorStore;

    /// <summary>y += decoded.</summary>
    static abstract void Add8(byte* codes, float scale, float* y, int count);

    /// <summary>y += decoded.</summary>
    static abstract void Add4(byte* codes, float scale, float* y, int count);
}
