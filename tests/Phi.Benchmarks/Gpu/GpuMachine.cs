using Phi.Collectives.Cuda;
using Phi.Training.Devices;
using TorchSharp;

namespace Phi.Benchmarks.Gpu;

/// <summary>The first GPU of this machine, and a libtorch that computes on it.</summary>
internal static class GpuMachine
{
    /// <exception cref="BenchException">There is none.</exception>
    public static CudaDevice Open()
    {
        try
        {
            var device = new CudaDevice(0, Path.Combine(Path.GetTempPath(), "phi-bench-kernels"));
            if (torch.cuda_is_available())
            {
                return device;
            }

            device.Dispose();
            throw new BenchException("this bench needs a libtorch that computes on GPUs: build with -p:TorchBackend=cuda, or with -p:TorchBackend=external and its folder in LD_LIBRARY_PATH");
        }
        catch (Exception e) when (e is DllNotFoundException or CudaException)
        {
            throw new BenchException($"this bench needs an NVIDIA GPU, its driver and NVRTC: {e.Message}");
        }
    }

    /// <summary>Dense bf16 floating-point operations a second by the vendor's data sheets; null for a GPU that is not listed.</summary>
    public static double? PeakBfloat16(string name) => name switch
    {
        _ when name.Contains("A100", StringComparison.Ordinal) => 312e12,
        _ when name.Contains("H100", StringComparison.Ordinal) && name.Contains("PCIe", StringComparison.Ordinal) => 756e12,
        _ when name.Contains("H100", StringComparison.Ordinal) || name.Contains("H200", StringComparison.Ordinal) => 989e12,
        _ => null,
    };
}
