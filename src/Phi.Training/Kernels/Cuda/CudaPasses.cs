using System.Runtime.InteropServices;
using Phi.Collectives.Cuda;
using Phi.Training.Optimizer;
using Phi.Training.Zero;

namespace Phi.Training.Kernels.Cuda;

/// <summary>Launches the kernels of passes.cu into the calling thread's stream. Each has two: one for 16-byte aligned memory, one for any.</summary>
internal sealed class CudaPasses : IDisposable
{
    private const int Threads = 256;
    private const int VectorLength = 4;
    private const int VectorBytes = 16;
    /// <summary>Thread blocks that keep a multiprocessor busy; each goes on with the next stretch.</summary>
    private const int BlocksPerMultiprocessor = 8;
    private const int LargestSumBlocks = 1024;
    private const int SumValuesPerBlock = Threads * 16;
    private static readonly ComputePrecision[] Precisions = Enum.GetValues<ComputePrecision>();

    private readonly CudaModule _module;
    private readonly int _largestGrid;
    private readonly KernelPair[,] _convert;
    private readonly KernelPair _add;
    private readonly KernelPair _sumOfSquares;
    private readonly KernelPair _update;
    private readonly CudaKernel _sumOfPartialSums;

    public CudaPasses(CudaContext context, CudaImageCache cache)
    {
        _module = CudaModule.Load(CudaSource.Program("passes.cu", context.Capability), cache);
        _largestGrid = context.Multiprocessors * BlocksPerMultiprocessor;
        _convert = new KernelPair[Precisions.Length, Precisions.Length];
        foreach (var (from, to) in Precisions.SelectMany(from => Precisions.Where(to => to != from).Select(to => (from, to))))
        {
            _convert[(int)from, (int)to] = KernelPair.Of(_module, $"convert_{Suffix(from)}_{Suffix(to)}");
        }

        _add = KernelPair.Of(_module, "add");
        _sumOfSquares = KernelPair.Of(_module, "sum_of_squares");
        _sumOfPartialSums = _module.Kernel("sum_of_partial_sums");
        _update = KernelPair.Of(_module, "update");
    }

    /// <summary>Bytes of the memory between the two stages of <see cref="SumOfSquares"/>.</summary>
    public static int PartialSumBytes => LargestSumBlocks * sizeof(double);

    public static string Suffix(ComputePrecision precision) => precision switch
    {
        ComputePrecision.Fp32 => "fp32",
        ComputePrecision.Bf16 => "bf16",
        ComputePrecision.Fp16 => "fp16",
        _ => throw new ArgumentOutOfRangeException(nameof(precision), precision, "there are kernels for fp32, bf16 and fp16"),
    };

    public void Convert(nint from, ComputePrecision fromPrecision, nint to, ComputePrecision toPrecision, long count)
    {
        if (count > 0)
        {
            _convert[(int)fromPrecision, (int)toPrecision].For((from | to) % VectorBytes == 0).Launch(Grid(count), Threads, new ConvertArguments(from, to, count));
        }
    }

    public void Add(nint values, nint sums, long count)
    {
        if (count > 0)
        {
            _add.For((values | sums) % VectorBytes == 0).Launch(Grid(count), Threads, new ConvertArguments(values, sums, count));
        }
    }

    /// <param name="partial">Of <see cref="PartialSumBytes"/>; of no use to other work until this is done.</param>
    public void SumOfSquares(nint values, long count, nint partial, nint result)
    {
        // Of the count alone: the order of additions, and so the result's bits, is the same on every device.
        var blocks = (int)Math.Clamp((count + SumValuesPerBlock - 1) / SumValuesPerBlock, 1, LargestSumBlocks);
        var arguments = new SumArguments(values, partial, result, count, blocks);
        _sumOfSquares.For(values % VectorBytes == 0).Launch(blocks, Threads, arguments);
        _sumOfPartialSums.Launch(1, Threads, arguments);
    }

    public void Update(AdamWStep step, nint weights, nint gradients, nint firstMoments, nint secondMoments, long count)
    {
        if (count > 0)
        {
            _update.For((weights | gradients | firstMoments | secondMoments) % VectorBytes == 0)
                .Launch(Grid(count), Threads, new UpdateArguments(step, weights, gradients, firstMoments, secondMoments, count));
        }
    }

    public void Dispose() => _module.Dispose();

    private int Grid(long count) => (int)Math.Clamp((count / VectorLength + Threads - 1) / Threads, 1, _largestGrid);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ConvertArguments(nint From, nint To, long Count);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct SumArguments(nint Values, nint Partial, nint Result, long Count, int Blocks);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct UpdateArguments(AdamWStep step, nint weights, nint gradients, nint firstMoments, nint secondMoments, long count)
    {
        private readonly nint _weights = weights;
        private readonly nint _gradients = gradients;
        private readonly nint _firstMoments = firstMoments;
        private readonly nint _secondMoments = secondMoments;
        private readonly long _count = count;
        private readonly float _gradientScale = step.GradientScale;
        private readonly float _beta1 = step.Beta1;
        private readonly float _beta2 = step.Beta2;
        private readonly float _rest1 = 1 - step.Beta1;
        private readonly float _rest2 = 1 - step.Beta2;
        private readonly float _epsilon = step.Epsilon;
        private readonly float _decay = step.Decay;
        private readonly float _stepSize = step.StepSize;
        private readonly float _correction2 = step.Correction2;
    }
}
