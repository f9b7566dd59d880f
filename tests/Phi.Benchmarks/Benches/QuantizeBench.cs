using System.Diagnostics;
using System.Runtime.InteropServices;
using Phi.Benchmarks.Reports;
using Phi.Training.Kernels.Quantization;
using static TorchSharp.torch;

namespace Phi.Benchmarks.Benches;

/// <summary>Quantisers on data larger than the caches, by bytes moved, against memcpy and against the same with torch operators.</summary>
internal sealed unsafe class QuantizeBench : IBench
{
    private const long Count = 1 << 26;
    private const int Block = 256;
    private const int Rounds = 5;

    public string Name => "quantize";

    public string Description => "INT8 and INT4 quantisers against memcpy's bytes moved and against torch operators";

    public Task<IReadOnlyList<Metric>> RunAsync()
    {
        var values = Allocate(Count * sizeof(float));
        var copy = Allocate(Count * sizeof(float));
        var encoded = Allocate(Count * 2);
        var random = new Random(1);
        for (var i = 0L; i < Count; i++)
        {
            ((float*)values)[i] = random.NextSingle() - 0.5f;
        }

        var metrics = new List<Metric>();
        var ours = new Dictionary<int, double>();
        foreach (var threads in new[] { 1, 2 })
        {
            var moved = 2.0 * Count * sizeof(float) / Time(threads, Count, (from, count) => Buffer.MemoryCopy(values + from * 4, copy + from * 4, count * 4, count * 4));
            metrics.Add(new Metric($"memcpy, {threads} threads", moved / 1e9, "GB/s moved"));
            var target = threads == 1 ? 0.75 : 0.85;
            foreach (var bits in new[] { 8, 4 })
            {
                var quantizer = new BlockQuantizer(bits, Block);
                var perThread = Count / threads;
                var bytes = Count * sizeof(float) + (double)quantizer.EncodedLength(perThread) * threads;
                var encode = Time(threads, Count, (from, count) => quantizer.Encode((float*)values + from, encoded + from * 2, count));
                var decode = Time(threads, Count, (from, count) => quantizer.Decode(encoded + from * 2, (float*)copy + from, count));
                metrics.Add(Metric.AtLeast($"INT{bits} quantise / memcpy, {threads} threads", bytes / encode / moved, "of bytes moved", target));
                metrics.Add(Metric.AtLeast($"INT{bits} dequantise / memcpy, {threads} threads", bytes / decode / moved, "of bytes moved", target));
                ours[bits] = encode;
            }
        }

        var torch = TorchSeconds(values);
        metrics.Add(Metric.AtLeast("INT8 quantise against torch operators, 2 threads", torch / ours[8], "times", 20));
        NativeMemory.AlignedFree(values);
        NativeMemory.AlignedFree(copy);
        NativeMemory.AlignedFree(encoded);
        return Task.FromResult<IReadOnlyList<Metric>>(metrics);
    }

    private static double TorchSeconds(byte* values)
    {
        set_num_threads(2);
        using var noGradient = no_grad();
        using var source = tensor(new Span<float>(values, (int)Count).ToArray());
        return Best(() =>
        {
            using var scope = NewDisposeScope();
            var blocks = source.view(-1, Block);
            var scale = blocks.abs().amax([1], true) / 127f;
            blocks.div(scale).round_().clamp_(-127, 127).to(ScalarType.Int8);
        });
    }

    private static double Time(int threads, long count, Action<long, long> work) => Best(() =>
    {
        var share = count / threads;
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, i => work(i * share, share));
    });

    private static double Best(Action action)
    {
        action();
        return Enumerable.Range(0, Rounds).Min(_ =>
        {
            var started = Stopwatch.GetTimestamp();
            action();
            return Stopwatch.GetElapsedTime(started).TotalSeconds;
        });
    }

    private static byte* Allocate(long bytes)
    {
        var memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        NativeMemory.Clear(memory, (nuint)bytes);
        return memory;
    }
}
