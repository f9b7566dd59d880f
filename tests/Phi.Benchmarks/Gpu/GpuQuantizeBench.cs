using Phi.Benchmarks.Benches;
using Phi.Benchmarks.Reports;
using Phi.Collectives.Cuda;
using Phi.Training.Devices;
using Phi.Training.Zero;

namespace Phi.Benchmarks.Gpu;

/// <summary>
/// The quantiser's kernels on a GPU by bytes moved, against the card's own copy within its memory, and their bits against the CPU's. Needs
/// the driver and NVRTC alone; libtorch is not loaded.
/// </summary>
internal sealed class GpuQuantizeBench : IBench
{
    private const int Block = 256;
    /// <summary>Values: far more than a cache holds.</summary>
    private const long Count = 1 << 27;
    private const int Sources = 8;
    private const double Target = 0.85;
    private const int Rounds = 5;
    private const int CallsPerRound = 10;

    public string Name => "gpu-quantize";

    public string Description => "INT8 and INT4 quantisers on a GPU against its own copy, and their bits against the CPU's";

    public string Machine { get; private set; } = "";

    public Task<IReadOnlyList<Metric>> RunAsync()
    {
        var images = Directory.CreateTempSubdirectory("phi-bench-images-").FullName;
        try
        {
            using var device = new CudaDevice(0, images);
            Machine = device.Name;
            List<Metric> metrics = [.. GpuConversionCheck.Run(device)];
            foreach (var bits in new[] { 8, 4 })
            {
                metrics.AddRange(GpuQuantizeCheck.Run(device, bits, Block));
            }

            metrics.AddRange(Speeds(device));
            return Task.FromResult<IReadOnlyList<Metric>>(metrics);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or CudaException)
        {
            throw new BenchException($"no CUDA device can be used here: {e.Message}");
        }
        finally
        {
            Directory.Delete(images, recursive: true);
        }
    }

    private static List<Metric> Speeds(CudaDevice device)
    {
        var single = device.Allocate(Count * sizeof(float));
        var other = device.Allocate(Count * sizeof(float));
        var encoded = device.Allocate(Count * 2);
        var copy = 2.0 * Count * sizeof(float) / Seconds(() => device.Copy(single, other, Count * sizeof(float)));
        List<Metric> metrics = [new("copy within the device", copy / 1e9, "GB/s moved")];
        foreach (var bits in new[] { 8, 4 })
        {
            var quantizer = device.CreateQuantizer(bits, Block);
            var next = device.CreateQuantizer(4, Block);
            var codes = quantizer.EncodedLength(Count);
            foreach (var precision in Enum.GetValues<ComputePrecision>())
            {
                var values = Count * (precision == ComputePrecision.Fp32 ? sizeof(float) : sizeof(ushort));
                Measure($"INT{bits} quantise {precision}", values + codes, () => quantizer.Encode(single, precision, encoded, Count));
                Measure($"INT{bits} dequantise {precision}", values + codes, () => quantizer.Decode(encoded, other, precision, Count));
            }

            Measure($"INT{bits} quantise Bf16 keeping errors", Count * (sizeof(ushort) + 2 * sizeof(float)) + codes, () => quantizer.EncodeKeepingErrors(single, ComputePrecision.Bf16, other, encoded, Count));

            // As in a reduction: the messages of all sources together are what one tensor was.
            var part = Count / Sources;
            var stride = quantizer.EncodedLength(part);
            Measure($"INT{bits} sum of {Sources}", Sources * stride + part * sizeof(float), () => quantizer.DecodeSum(encoded, Sources, stride, other, part));
            Measure($"INT{bits} sum of {Sources} to INT4", Sources * stride + next.EncodedLength(part), () => quantizer.DecodeSumEncode(encoded, Sources, stride, next, other, part));
        }

        device.Free(single);
        device.Free(other);
        device.Free(encoded);
        return metrics;

        void Measure(string name, long bytes, Action action)
        {
            var speed = bytes / Seconds(action);
            metrics.Add(new Metric(name, speed / 1e9, "GB/s moved"));
            metrics.Add(Metric.AtLeast($"{name} / copy", speed / copy, "of bytes moved", Target));
        }
    }

    /// <summary>Of one call, in the best round, by the GPU's clock.</summary>
    private static double Seconds(Action action)
    {
        using var start = new CudaEvent(hasTime: true);
        using var end = new CudaEvent(hasTime: true);
        action();
        return Enumerable.Range(0, Rounds).Min(_ =>
        {
            start.Record();
            for (var call = 0; call < CallsPerRound; call++)
            {
                action();
            }

            end.Record();
            CudaStream.SynchronizeCurrent();
            return end.SecondsSince(start) / CallsPerRound;
        });
    }
}
