namespace Phi.Collectives.Cuda;

/// <summary>Compiled kernels, loaded into the context that was current at <see cref="Load"/>.</summary>
internal sealed class CudaModule : IDisposable
{
    private nint _handle;

    private CudaModule(nint handle) => _handle = handle;

    /// <summary>Loads the program's image from the cache, or compiles it and puts it there.</summary>
    /// <exception cref="CudaException">The compiler refused the source, or the driver its image.</exception>
    public static CudaModule Load(CudaProgram program, CudaImageCache cache)
    {
        var digest = program.Digest();
        if (TryLoadCached(cache, digest) is { } ready)
        {
            return ready;
        }

        using var hold = cache.Lock(digest);
        if (TryLoadCached(cache, digest) is { } compiledMeanwhile)
        {
            return compiledMeanwhile;
        }

        var image = program.Compile();
        CudaException.ThrowIfFailed(TryLoad(image, out var handle), $"load the image of {program.Name} for {program.Architecture}");
        cache.Write(digest, image);
        return new CudaModule(handle);
    }

    /// <exception cref="CudaException">There is no such kernel.</exception>
    public CudaKernel Kernel(string name)
    {
        CudaException.ThrowIfFailed(CudaDriver.ModuleGetFunction(out var function, _handle, name), $"find the kernel {name}");
        return new CudaKernel(name, function);
    }

    public void Dispose()
    {
        if (_handle != 0)
        {
            _ = CudaDriver.ModuleUnload(_handle);
            _handle = 0;
        }
    }

    /// <summary>Null where there is no image, or none that the driver takes.</summary>
    private static CudaModule? TryLoadCached(CudaImageCache cache, string digest) =>
        cache.Read(digest) is { } image && TryLoad(image, out var handle) == CudaDriver.Success ? new CudaModule(handle) : null;

    private static unsafe int TryLoad(byte[] image, out nint handle)
    {
        fixed (byte* from = image)
        {
            return CudaDriver.ModuleLoadData(out handle, from);
        }
    }
}
