using System.Globalization;
using Phi.Checkpoints.Weights;
using Phi.Training.Generation.Cpu;
using TorchSharp;
using static TorchSharp.torch;

namespace Phi.Training.Generation;

/// <summary>What text is generated on: the CPU, or one GPU.</summary>
public sealed record GenerationDevice
{
    private const string CpuName = "cpu";
    private const string CudaName = "cuda";

    private GenerationDevice(int? gpu) => Gpu = gpu;

    public static GenerationDevice Cpu { get; } = new((int?)null);

    /// <summary>Among the GPUs that the process sees, from 0; null: the CPU.</summary>
    public int? Gpu { get; }

    /// <param name="name"><c>cpu</c>, <c>cuda</c> (the first GPU) or <c>cuda:N</c>.</param>
    /// <exception cref="ArgumentException">It is none of these.</exception>
    public static GenerationDevice Parse(string name)
    {
        if (name == CpuName)
        {
            return Cpu;
        }

        var ordinal = name == CudaName ? "0" : name.StartsWith(CudaName + ":", StringComparison.Ordinal) ? name[(CudaName.Length + 1)..] : "";
        return int.TryParse(ordinal, NumberStyles.None, CultureInfo.InvariantCulture, out var gpu)
            ? new GenerationDevice(gpu)
            : throw new ArgumentException($"device '{name}' must be cpu, cuda or cuda:N, such as cuda:0");
    }

    /// <summary>Reads the weights onto the device, with a cache of so many sequences.</summary>
    /// <param name="weights">Read whole; the caller's to dispose.</param>
    /// <exception cref="ArgumentException">There is no such GPU, or this build computes on the CPU alone.</exception>
    /// <exception cref="InvalidOperationException">The memory does not suffice.</exception>
    public ICachedForward Load(IModelWeights weights, int slots)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(slots, 1);
        weights.Model.Validate();
        try
        {
            return Gpu is { } gpu ? new TorchForward(weights, slots, Checked(gpu)) : new CpuForward(weights, slots);
        }
        catch (OutOfMemoryException e)
        {
            throw new InvalidOperationException($"the memory does not hold '{weights.Location}' and the keys and values of {slots} sequences at once; take fewer", e);
        }
    }

    public override string ToString() => Gpu is { } gpu ? string.Create(CultureInfo.InvariantCulture, $"{CudaName}:{gpu}") : CpuName;

    private Device Checked(int gpu)
    {
        if (!torch.cuda_is_available())
        {
            throw new ArgumentException($"device {this} needs a libtorch that computes on GPUs, and this trainer's computes on the CPU alone; use the GPU image (built with -p:TorchBackend=cuda), or the device cpu");
        }

        return gpu < torch.cuda.device_count()
            ? new Device(DeviceType.CUDA, gpu)
            : throw new ArgumentException($"device {this} is not there: this machine has {torch.cuda.device_count()} GPUs, cuda:0 the first; name another");
    }
}
