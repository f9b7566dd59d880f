using System.Text;
using Phi.Benchmarks.Benches;
using Phi.Benchmarks.Reports;
using Phi.Collectives;
using Phi.Collectives.Cuda;
using Phi.Training.Data;
using Phi.Training.Devices;
using Phi.Training.Loop;
using Phi.Training.Optimizer;
using Phi.Training.Zero;

namespace Phi.Benchmarks.Gpu;

/// <summary>Four ranks as threads on one GPU, joined in the host's memory: their losses against those of one rank on the GPU and of the CPU.</summary>
internal sealed class GpuRanksBench : IBench
{
    private const int Ranks = 4;
    private const int Steps = 30;
    private const double SameArithmetic = 1e-4;
    private const double Quantized = 0.02;

    public string Name => "gpu-ranks";

    public string Description => "four ranks as threads on one GPU: losses against one rank's and the CPU's";

    private static TrainingConfiguration Run { get; } = new()
    {
        Model = ModelConfiguration.PhiTiny with { Layers = 6, SequenceLength = 128 },
        GlobalBatch = 16, MicroBatch = 4, Schedule = new LinearSchedule(10, 200), Optimizer = new AdamW { LearningRate = 2e-3f },
    };

    public async Task<IReadOnlyList<Metric>> RunAsync()
    {
        using (GpuMachine.Open())
        {
            // Says at once that there is none.
        }

        var cpu = await TrainAsync(1, Run, isGpu: false);
        var one = await TrainAsync(1, Run, isGpu: true);
        var plain = await TrainAsync(Ranks, Run, isGpu: true);
        var zero = new ZeroConfiguration { RanksPerNode = 2, WeightBlock = 256, SecondaryShards = true, Gradients = new GradientQuantization(ErrorFeedback: true) };
        var quantized = await TrainAsync(Ranks, Run with { Zero = zero }, isGpu: true);
        var half = await TrainAsync(Ranks, Run with { Zero = zero, Precision = ComputePrecision.Bf16 }, isGpu: true);
        var scaled = await TrainAsync(Ranks, Run with { Zero = zero, Precision = ComputePrecision.Fp16 }, isGpu: true);
        var dropping = Run with { Dropout = 0.1, MicroBatch = 4 };
        var dropped = await TrainAsync(1, dropping, isGpu: true);
        var recomputed = await TrainAsync(Ranks, dropping with { ActivationCheckpointing = true }, isGpu: true);
        return
        [
            new Metric($"loss after {Steps} steps, one rank on the CPU", cpu[^1], "nats/token"),
            Metric.AtMost("one rank on the GPU / CPU, largest deviation", Deviation(one, cpu), "of the loss", 1e-3),
            Metric.AtMost($"{Ranks} ranks / one rank, ZeRO-3 fp32, largest deviation", Deviation(plain, one), "of the loss", SameArithmetic),
            Metric.AtMost($"{Ranks} ranks with activation checkpointing / one rank without, dropout 0.1, largest deviation", Deviation(recomputed, dropped), "of the loss", SameArithmetic),
            Metric.AtMost($"{Ranks} ranks / one rank, ZeRO++ fp32, largest deviation", Deviation(quantized, one), "of the loss", Quantized),
            Metric.AtMost($"{Ranks} ranks / one rank, ZeRO++ bf16, largest deviation", Deviation(half, one), "of the loss", Quantized),
            Metric.AtMost($"{Ranks} ranks / one rank, ZeRO++ fp16, last step's deviation", Math.Abs(scaled[^1] / one[^1] - 1), "of the loss", Quantized),
        ];
    }

    private static double Deviation(float[] losses, float[] expected) => losses.Zip(expected, (loss, other) => Math.Abs(loss / other - 1)).Max();

    private static async Task<float[]> TrainAsync(int world, TrainingConfiguration configuration, bool isGpu)
    {
        var (hosts, staged) = (InProcessGroup.Create(world), InProcessGroup.Create(world));
        var ranks = hosts.Select((host, rank) => Task.Factory.StartNew(
            () => Train(host, staged[rank], configuration, isGpu), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
        return (await Task.WhenAll(ranks))[0];
    }

    private static float[] Train(ICommunicator host, ICommunicator staged, TrainingConfiguration configuration, bool isGpu)
    {
        using CudaDevice? device = isGpu ? GpuMachine.Open() : null;
        device?.EnterThread();
        var group = device is null ? null : new StagedCommunicator(staged);
        using var loop = new TrainingLoop(configuration, host, new TokenDataset(Text()), device is null ? null : new RankDevice(device, group!, IsShared: host.WorldSize > 1));
        var losses = Enumerable.Range(0, Steps).Select(_ => loop.Step().Loss).ToArray();
        if (device is not null)
        {
            CudaStream.SynchronizeCurrent();
            group!.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }

        return losses;
    }

    private static ushort[] Text()
    {
        var text = new StringBuilder();
        for (var i = 0; i < 4000; i++)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"def f{i % 17}(x, y):\n    return x * {i % 5} + y - {i % 7}\n");
        }

        return [.. Encoding.ASCII.GetBytes(text.ToString()).Select(b => (ushort)b)];
    }
}
