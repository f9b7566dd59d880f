using System.Runtime.InteropServices;
using Phi.Benchmarks.Benches;
using Phi.Benchmarks.Reports;
using Phi.Training.Devices;
using Phi.Training.Kernels.Quantization;
using Phi.Training.Zero;

namespace Phi.Benchmarks.Gpu;

/// <summary>The quantiser's kernels against the CPU's on random data: how many bytes differ.</summary>
internal static unsafe class GpuQuantizeCheck
{
    private const int Count = 1 << 20;
    private const int Sources = 3;

    public static List<Metric> Run(CudaDevice device, int bits, int blockSize)
    {
        var (cpu, next) = (new BlockQuantizer(bits, blockSize), new BlockQuantizer(12 - bits, blockSize));
        var (gpu, gpuNext) = (device.CreateQuantizer(bits, blockSize), device.CreateQuantizer(12 - bits, blockSize));
        var values = Values(bits, blockSize);
        var (sent, decoded, sum, again) = OnCpu(cpu, next, values);
        var length = cpu.EncodedLength(Count);
        var (input, encoded, output) = (Place(device, values), device.Allocate(sent.Length), device.Allocate(Count * sizeof(float)));
        List<Metric> metrics = [];
        for (var source = 0; source < Sources; source++)
        {
            gpu.Encode(input + source * Count * sizeof(float), ComputePrecision.Fp32, encoded + source * (nint)length, Count);
        }

        Compare("quantise", encoded, sent);
        gpu.Decode(encoded, output, ComputePrecision.Fp32, Count);
        Compare("dequantise", output, decoded);
        gpu.DecodeSum(encoded, Sources, length, output, Count);
        Compare($"sum of {Sources}", output, sum);
        gpu.DecodeSumEncode(encoded, Sources, length, gpuNext, output, Count);
        Compare($"sum of {Sources} to INT{12 - bits}", output, again);
        device.Free(input);
        device.Free(encoded);
        device.Free(output);
        return metrics;

        void Compare(string name, nint result, byte[] expected) =>
            metrics.Add(Metric.AtMost($"INT{bits} {name}: differ from the CPU's", Get(device, result, expected.Length).Zip(expected).Count(pair => pair.First != pair.Second), $"of {expected.Length} bytes", 0));
    }

    /// <summary>Of magnitudes that differ from block to block.</summary>
    private static float[] Values(int seed, int blockSize)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Count * Sources).Select(i => (random.NextSingle() - 0.5f) * MathF.Pow(2, i / blockSize % 60 - 30))];
    }

    /// <returns>What the sources sent; the first one decoded; the sum of all; the sum encoded for the next hop.</returns>
    private static (byte[] Sent, byte[] Decoded, byte[] Sum, byte[] Again) OnCpu(BlockQuantizer cpu, BlockQuantizer next, float[] values)
    {
        var length = cpu.EncodedLength(Count);
        var (sent, again) = (new byte[length * Sources], new byte[next.EncodedLength(Count)]);
        var (decoded, sum) = (new float[Count], new float[Count]);
        fixed (float* from = values, one = decoded, all = sum)
        fixed (byte* to = sent, last = again)
        {
            for (var source = 0; source < Sources; source++)
            {
                cpu.Encode(from + source * Count, to + source * length, Count);
            }

            cpu.Decode(to, one, Count);
            cpu.DecodeSum(to, Sources, length, all, Count);
            cpu.DecodeSumEncode(to, Sources, length, next, last, Count);
        }

        return (sent, Bytes(decoded), Bytes(sum), again);
    }

    private static byte[] Bytes(float[] values) => MemoryMarshal.AsBytes<float>(values).ToArray();

    private static nint Place(CudaDevice device, float[] values)
    {
        var memory = device.Allocate((long)values.Length * sizeof(float));
        fixed (float* from = values)
        {
            device.Upload((nint)from, memory, (long)values.Length * sizeof(float));
        }

        return memory;
    }

    private static byte[] Get(CudaDevice device, nint memory, int bytes)
    {
        var result = new byte[bytes];
        fixed (byte* to = result)
        {
            device.Download(memory, (nint)to, bytes);
        }

        return result;
    }
}
