namespace Phi.Training.Kernels.Quantization;

/// <summary>Plain C#: what the other two must equal.</summary>
internal readonly unsafe struct PortableKernel : IBlockKernel
{
    private const int Chunk = 64;
    private const int Half = 32;

    public static int MaxAbsBits(float* x, int count)
    {
        var largest = 0;
        for (var i = 0; i < count; i++)
        {
            largest = Math.Max(largest, BitConverter.SingleToInt32Bits(x[i]) & int.MaxValue);
        }

        return largest;
    }

    public static void Encode8(float* x, float inverse, byte* codes, int count)
    {
        for (var i = 0; i < count; i++)
        {
            codes[i] = (byte)Round(x[i], inverse);
        }
    }

    public static void Encode4(float* x, float inverse, byte* codes, int count)
    {
        for (var i = 0; i < count; i += Chunk, codes += Half)
        {
            for (var j = 0; j < Half; j++)
            {
                codes[j] = (byte)((Round(x[i + j], inverse) & 15) | (Round(x[i + j + Half], inverse) << 4));
            }
        }
    }

    public static void Decode8<TStore>(byte* codes, float scale, float* y, int count)
        where TStore : struct, IVectorStore
    {
        for (var i = 0; i < count; i++)
        {
            y[i] = (sbyte)codes[i] * scale;
        }
    }

    public static void Decode4<TStore>(byte* codes, float scale, float* y, int count)
        where TStore : struct, IVectorStore
    {
        for (var i = 0; i < count; i += Chunk, codes += Half)
        {
            for (var j = 0; j < Half; j++)
            {
                y[i + j] = Low(codes[j]) * scale;
                y[i + j + Half] = High(codes[j]) * scale;
            }
        }
    }

    public static void Add8(byte* codes, float scale, float* y, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var value = (sbyte)codes[i] * scale;
            y[i] += value;
        }
    }

    public static void Add4(byte* codes, float scale, float* y, int count)
    {
        for (var i = 0; i < count; i += Chunk, codes += Half)
        {
            for (var j = 0; j < Half; j++)
            {
                var (low, high) = (Low(codes[j]) * scale, High(codes[j]) * scale);
                y[i + j] += low;
                y[i + j + Half] += high;
            }
        }
    }

    private static int Round(float x, float inverse) => (int)MathF.Round(x * inverse);

    private static int Low(byte code) => (sbyte)(code << 4) >> 4;

    private static int High(byte code) => (sbyte)code >> 4;
}
