using System.Runtime.InteropServices;

namespace Phi.Benchmarks.Benches;

/// <summary>Random bits of so many float32, outside of the collector's memory.</summary>
internal sealed unsafe class RandomTensor : IDisposable
{
    public RandomTensor(int elements)
    {
        Values = (float*)NativeMemory.Alloc((nuint)elements, sizeof(float));
        new Random(1).NextBytes(new Span<byte>(Values, checked(elements * sizeof(float))));
    }

    public float* Values { get; }

    public void Dispose() => NativeMemory.Free(Values);
}
