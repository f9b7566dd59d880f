using Phi.Collectives.Cuda;
using Phi.Training.Optimizer;
using Phi.Training.Zero;
using static TorchSharp.torch;

namespace Phi.Training.Devices;

/// <summary>
/// Where shards, slots and messages live, and the passes over them. Memory is a raw address, 64-byte aligned. On a GPU calls return when
/// the work is in the calling thread's stream; on the CPU when it is done.
/// </summary>
public interface IDevice : IDisposable
{
    /// <summary>Of the tensors that compute.</summary>
    Device Torch { get; }

    /// <summary>Every thread but the creating one calls this before anything else.</summary>
    void EnterThread();

    /// <summary>A stream for the calling thread's later work; null where work is done when its call returns.</summary>
    CudaStream? CreateStream();

    /// <summary>Null where work is done when its call returns.</summary>
    CudaEvent? CreateEvent();

    /// <summary>Zeroed bytes.</summary>
    nint Allocate(long bytes);

    void Free(nint memory);

    /// <summary>Bytes of the host's memory that are there from the start, and that the device copies to and from at its full speed.</summary>
    nint AllocateHost(long bytes);

    void FreeHost(nint memory);

    void Clear(nint memory, long bytes);

    /// <summary>Within the device; the ranges do not overlap.</summary>
    void Copy(nint from, nint to, long bytes);

    /// <summary>From the host's memory, which may change as soon as the call returns.</summary>
    void Upload(nint host, nint to, long bytes);

    /// <summary>To the host's memory; earlier work of this thread's stream is done, and the bytes are there, when the call returns.</summary>
    void Download(nint from, nint host, long bytes);

    /// <summary>count values from one precision to another; rounding is to nearest even, not-a-number stays one. Equal precisions copy.</summary>
    void Convert(nint from, ComputePrecision fromPrecision, nint to, ComputePrecision toPrecision, long count);

    /// <summary>sums += values, fp32.</summary>
    void Add(nint values, nint sums, long count);

    /// <summary>Writes the sum of the squares of count fp32 values into the fp32 at <paramref name="result"/>; the same bits on every call.</summary>
    void SumOfSquares(nint values, long count, nint result);

    /// <summary>AdamW on count fp32 values of each (<see cref="AdamW.Update"/> has the arithmetic).</summary>
    void Update(AdamWStep step, nint weights, nint gradients, nint firstMoments, nint secondMoments, long count);

    IBlockQuantizer CreateQuantizer(int bits, int blockSize);
}
