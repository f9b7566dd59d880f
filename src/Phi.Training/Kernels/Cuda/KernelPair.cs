using Phi.Collectives.Cuda;

namespace Phi.Training.Kernels.Cuda;

/// <summary>One kernel twice: with 8- and 16-byte accesses for memory aligned to them, and without.</summary>
internal readonly record struct KernelPair(CudaKernel Wide, CudaKernel Any)
{
    public static KernelPair Of(CudaModule module, string name) => new(module.Kernel($"{name}_wide"), module.Kernel($"{name}_any"));

    public CudaKernel For(bool isAligned) => isAligned ? Wide : Any;
}
