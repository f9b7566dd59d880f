using System.Net;
using Phi.Collectives;
using Phi.Collectives.Cuda;
using Phi.Collectives.Nccl;
using Phi.StandIns;
using Phi.Training.Devices;
using Phi.Training.Loop;
using Phi.Training.Zero;
using TorchSharp;

namespace Phi.Training.Tests.Cuda;

/// <summary>
/// The whole engine over GPU memory, kernels, streams and NCCL, on their stand-ins: the same bits as on the CPU. Clipping is off, since
/// the norm alone may differ in its last bits.
/// </summary>
[Collection(GpuStandIn.Name)]
public sealed class CudaEngineTests : IDisposable
{
    private const int Steps = 4;
    private readonly string _images = Directory.CreateTempSubdirectory("phi-images-").FullName;

    public CudaEngineTests() => StandInLibraries.Use();

    private static ZeroConfiguration AllOn { get; } = new() { RanksPerNode = 2, WeightBlock = 64, SecondaryShards = true, Gradients = new GradientQuantization(BlockSize: 64) };

    private static TrainingConfiguration Unclipped { get; } = SmallRun.Configuration with { Optimizer = SmallRun.Configuration.Optimizer with { ClipNorm = 0 } };

    public void Dispose()
    {
        StandInDriver.SetDelay(TimeSpan.Zero);
        Directory.Delete(_images, recursive: true);
    }

    [Theory]
    [InlineData(1, "plain", "nccl")]
    [InlineData(4, "plain", "nccl")]
    [InlineData(4, "all", "nccl")]
    [InlineData(4, "feedback", "nccl")]
    [InlineData(4, "bf16", "nccl")]
    [InlineData(3, "odd", "nccl")]
    [InlineData(2, "stage 0", "nccl")]
    [InlineData(2, "stage 1 bf16", "nccl")]
    [InlineData(2, "stage 2", "nccl")]
    [InlineData(2, "not overlapped", "nccl")]
    [InlineData(4, "all", "staged")]
    [InlineData(4, "bf16", "staged")]
    [InlineData(2, "fp16", "staged")]
    public async Task Step_OnDevices_HasTheBitsOfTheCpu(int world, string what, string transport)
    {
        var configuration = what switch
        {
            "all" => Unclipped with { Zero = AllOn },
            "feedback" => Unclipped with { Zero = AllOn with { Gradients = new GradientQuantization(4, 4, 64, ErrorFeedback: true) } },
            "bf16" => Unclipped with { Zero = AllOn with { Prefetch = 2 }, Precision = ComputePrecision.Bf16 },
            "fp16" => Unclipped with { Precision = ComputePrecision.Fp16, Zero = AllOn },
            "odd" => Unclipped with { GlobalBatch = 6, MicroBatch = 1, Zero = AllOn with { RanksPerNode = 1 } },
            "stage 0" => Unclipped with { Zero = new ZeroConfiguration { Stage = 0 } },
            "stage 1 bf16" => Unclipped with { Zero = new ZeroConfiguration { Stage = 1 }, Precision = ComputePrecision.Bf16 },
            "stage 2" => Unclipped with { Zero = new ZeroConfiguration { Stage = 2 } },
            "not overlapped" => Unclipped with { Zero = AllOn with { Prefetch = 0 } },
            _ => Unclipped,
        };
        var expected = SmallRun.Train(world, Steps, configuration);

        var got = await TrainAsync(world, configuration, transport);

        Assert.Equal(Losses(expected[0]), Losses(got[0].Steps));
        Assert.All(got, rank => Assert.Equal(Losses(got[0].Steps), Losses(rank.Steps)));
    }

    [Fact]
    public async Task Step_StreamsThatLagBehind_ChangeNoBit()
    {
        var configuration = Unclipped with { Zero = AllOn with { Prefetch = 2 } };
        var expected = Losses(SmallRun.Train(4, 2, configuration)[0]);
        StandInDriver.SetDelay(TimeSpan.FromMicroseconds(300));

        Assert.Equal(expected, Losses((await TrainAsync(4, configuration, "nccl", 2))[0].Steps));
    }

    [Fact]
    public async Task State_OnDevices_IsACopyThatComesBack()
    {
        var configuration = Unclipped with { Zero = AllOn with { Gradients = new GradientQuantization(4, 4, 64, ErrorFeedback: true) } };
        var whole = Losses(SmallRun.Train(4, 5, configuration)[0]);
        var first = await TrainAsync(4, configuration, "nccl", 2);

        var rest = await TrainAsync(4, configuration, "nccl", 3, (loop, rank) => SavedState.Load(loop, first[rank].State, 2));

        Assert.Equal(whole, Losses(first[0].Steps).Concat(Losses(rest[0].Steps)));
    }

    [Fact]
    public async Task Snapshot_OnDevices_StaysAsItIsInPageLockedMemoryThatIsKept()
    {
        var before = StandInDriver.LiveHostAllocations;

        await TrainAsync(2, Unclipped, "nccl", 1, (loop, _) =>
        {
            loop.Step();
            SnapshotCheck.Run(loop);
        });

        Assert.Equal(before, StandInDriver.LiveHostAllocations);
    }

    [Fact]
    public async Task CommunicationTime_WithStreams_IsMeasuredInThem()
    {
        var ranks = await TrainAsync(2, Unclipped, "nccl");

        Assert.All(ranks, rank =>
        {
            Assert.True(rank.Busy > TimeSpan.Zero);
            Assert.InRange(rank.Exposed, TimeSpan.Zero, rank.Busy + TimeSpan.FromSeconds(1));
            Assert.True(rank.SentBytes > 0);
        });
    }

    private static float[] Losses(StepResult[] steps) => [.. steps.Select(step => step.Loss)];

    private async Task<RankResult[]> TrainAsync(int world, TrainingConfiguration configuration, string transport, int steps = Steps, Action<TrainingLoop, int>? prepare = null)
    {
        var hosts = InProcessGroup.Create(world);
        var staged = InProcessGroup.Create(world);
        var ranks = hosts.Select((host, rank) => Task.Factory.StartNew(
            () => Train(host, staged[rank], configuration, transport, steps, prepare),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)).ToList();
        var results = await Task.WhenAll(ranks);
        foreach (var host in hosts)
        {
            await host.DisposeAsync();
        }

        return results;
    }

    private RankResult Train(ICommunicator host, ICommunicator staged, TrainingConfiguration configuration, string transport, int steps, Action<TrainingLoop, int>? prepare)
    {
        // Staged ranks share a GPU.
        using var device = new CudaDevice(transport == "staged" ? 0 : host.Rank, _images, torch.CPU);
        var options = new NcclOptions { NodeRank = 0, BindAddress = IPAddress.Loopback };
        var group = transport == "staged" ? new StagedCommunicator(staged) : NcclGroup.ConnectAsync(host, device.Context, device.Add, options, CancellationToken.None).GetAwaiter().GetResult();
        try
        {
            device.EnterThread();
            using var loop = new TrainingLoop(configuration, host, SmallRun.Data, new RankDevice(device, group, IsShared: transport == "staged"));
            prepare?.Invoke(loop, host.Rank);
            var results = Enumerable.Range(0, steps).Select(_ => loop.Step()).ToArray();
            var (busy, exposed) = loop.CommunicationTime;
            return new RankResult(results, SavedState.Save(loop), busy, exposed, loop.Traffic.Bytes(WireScope.Intra));
        }
        finally
        {
            CudaStream.SynchronizeCurrent();
            host.Barrier().Wait();
            group.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private sealed record RankResult(StepResult[] Steps, Dictionary<string, float[]> State, TimeSpan Busy, TimeSpan Exposed, long SentBytes);
}
