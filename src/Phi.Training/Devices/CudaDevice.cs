using System.Collections.Concurrent;
using Phi.Collectives.Cuda;
using Phi.Training.Kernels.Cuda;
using Phi.Training.Kernels.Quantization;
using Phi.Training.Optimizer;
using Phi.Training.Zero;
using TorchSharp;
using static TorchSharp.torch;

namespace Phi.Training.Devices;

/// <summary>
/// One GPU, in the context that libtorch uses. Work goes into the calling thread's stream, the default one (libtorch's) unless the thread
/// made another current; one object for each thread that trains. Kernels are compiled for the GPU when they are first wanted; their images stay in a folder.
/// </summary>
public sealed partial class CudaDevice : IDevice
{
    private readonly CudaContext _context;
    private readonly CudaImageCache _images;
    private readonly CudaPasses _passes;
    private readonly ConcurrentDictionary<(int Bits, int BlockSize), Lazy<CudaModule>> _quantizers = [];
    /// <summary>Between the two stages of a sum of squares, for each stream: work of different streams must not share it.</summary>
    private readonly ConcurrentDictionary<nint, nint> _partialSums = [];
    private Device? _torch;
    private bool _isDisposed;

    /// <summary>Makes the device current on the calling thread.</summary>
    /// <param name="ordinal">Among the GPUs that the process sees, from 0.</param>
    /// <param name="imageFolder">For compiled kernels; ranks may share it. Made when it is not there.</param>
    /// <exception cref="CudaException">There is no such GPU, or it does not take the kernels.</exception>
    /// <exception cref="DllNotFoundException">The driver or NVRTC is not installed.</exception>
    public CudaDevice(int ordinal, string imageFolder)
        : this(ordinal, imageFolder, null)
    {
    }

    /// <param name="torch">Null: the GPU. Tests compute on the CPU, whose memory the stand-in for the driver takes for the GPU's.</param>
    internal CudaDevice(int ordinal, string imageFolder, Device? torch)
    {
        _context = new CudaContext(ordinal);
        _images = new CudaImageCache(imageFolder);
        _torch = torch;
        try
        {
            _passes = new CudaPasses(_context, _images);
        }
        catch
        {
            _context.Dispose();
            throw;
        }
    }

    public CudaContext Context => _context;

    /// <summary>The GPU's model.</summary>
    public string Name => _context.Name;

    /// <summary>libtorch is loaded when this is first read.</summary>
    public Device Torch => _torch ??= new Device(DeviceType.CUDA, _context.Ordinal);

    public void EnterThread() => _context.MakeCurrent();

    public CudaStream? CreateStream() => new();

    public CudaEvent? CreateEvent() => new(hasTime: true);

    public void Convert(nint from, ComputePrecision fromPrecision, nint to, ComputePrecision toPrecision, long count)
    {
        if (fromPrecision == toPrecision)
        {
            Copy(from, to, count * fromPrecision.ElementBytes);
        }
        else
        {
            _passes.Convert(from, fromPrecision, to, toPrecision, count);
        }
    }

    public void Add(nint values, nint sums, long count) => _passes.Add(values, sums, count);

    public void SumOfSquares(nint values, long count, nint result) =>
        _passes.SumOfSquares(values, count, _partialSums.GetOrAdd(CudaStream.Current, static (_, device) => device.Allocate(CudaPasses.PartialSumBytes), this), result);

    public void Update(AdamWStep step, nint weights, nint gradients, nint firstMoments, nint secondMoments, long count) =>
        _passes.Update(step, weights, gradients, firstMoments, secondMoments, count);

    /// <summary>Quantisers of the same bits and block size share their kernels.</summary>
    public IBlockQuantizer CreateQuantizer(int bits, int blockSize)
    {
        var format = new BlockQuantizer(bits, blockSize);
        var module = _quantizers.GetOrAdd((bits, blockSize), _ => new Lazy<CudaModule>(() =>
            CudaModule.Load(CudaSource.Program("quantize.cu", _context.Capability, $"BITS={bits}", $"BLOCK={blockSize}"), _images)));
        return new CudaBlockQuantizer(format, module.Value, _context.Multiprocessors);
    }

    /// <summary>Memory that was not freed stays with the process.</summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _context.MakeCurrent();
        foreach (var memory in _partialSums.Values)
        {
            Free(memory);
        }

        foreach (var module in _quantizers.Values.Where(module => module.IsValueCreated))
        {
            module.Value.Dispose();
        }

        _passes.Dispose();
        _context.Dispose();
    }
}
