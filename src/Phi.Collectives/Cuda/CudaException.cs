using System.Runtime.InteropServices;

namespace Phi.Collectives.Cuda;

/// <summary>A call of the CUDA driver, of NVRTC or of NCCL failed; the message names the call and the library's own words.</summary>
public sealed class CudaException(string message) : Exception(message)
{
    /// <summary>Throws unless the driver returned success.</summary>
    /// <param name="call">What was tried, such as "allocate 4096 bytes".</param>
    internal static void ThrowIfFailed(int result, string call)
    {
        if (result != CudaDriver.Success)
        {
            throw new CudaException($"CUDA could not {call}: {Text(CudaDriver.GetErrorName(result, out var name), name)} ({result}), {Text(CudaDriver.GetErrorString(result, out var text), text)}");
        }
    }

    private static string Text(int result, nint text) => result == CudaDriver.Success ? Marshal.PtrToStringUTF8(text) ?? "unknown" : "unknown";
}
