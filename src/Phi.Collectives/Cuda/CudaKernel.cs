namespace Phi.Collectives.Cuda;

/// <summary>A kernel whose one parameter is a structure, of the same layout here and in its source.</summary>
internal readonly struct CudaKernel(string name, nint function)
{
    /// <summary>Puts the kernel into this thread's stream.</summary>
    /// <param name="blocks">Of threads; at least 1.</param>
    /// <param name="threads">Of a block.</param>
    /// <param name="arguments">Copied before the call returns.</param>
    public unsafe void Launch<TArguments>(int blocks, int threads, TArguments arguments)
        where TArguments : unmanaged
    {
        var pointer = (void*)&arguments;
        var result = CudaDriver.LaunchKernel(function, (uint)blocks, 1, 1, (uint)threads, 1, 1, 0, CudaStream.Current, &pointer, null);
        if (result != CudaDriver.Success)
        {
            CudaException.ThrowIfFailed(result, $"run the kernel {name}, {blocks} blocks of {threads} threads");
        }
    }
}
