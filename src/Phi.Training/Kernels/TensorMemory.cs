using System.Runtime.InteropServices;
using TorchSharp;

namespace Phi.Training.Kernels;

/// <summary>The memory of a contiguous tensor, on its device.</summary>
internal static partial class TensorMemory
{
    public static nint Address(torch.Tensor tensor) => Data(tensor.Handle);

    [LibraryImport("LibTorchSharp", EntryPoint = "THSTensor_data")]
    private static partial nint Data(nint tensor);
}
