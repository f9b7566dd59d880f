using System.Net;
using Phi.Api.TrainingJobs;
using Phi.Api.Traffic;
using Phi.Collectives;
using Phi.Planning.Memory;
using Phi.Planning.Shapes;
using Phi.Planning.Steps;
using Phi.Training.Loop;
using Phi.Training.Zero;

namespace Phi.Training.Tests;

/// <summary>What is computed of a job's bytes (16-bit ZeRO-3's closed formula, and <c>phi plan</c>) against what the transport counts and the engine holds when it runs.</summary>
[Collection("torch")]
public sealed class TrafficTests
{
    [Theory]
    [InlineData(4, 4, 1, 1)]
    [InlineData(4, 2, 1, 2)]
    [InlineData(4, 2, 2, 1)]
    [InlineData(2, 1, 1, 4)]
    [InlineData(2, 1, 5, 1)]
    [InlineData(2, 2, 5, 3)]
    public async Task Step_SixteenBitStage3_MovesWhatTheFormulaSays(int ranks, int ranksPerNode, int layers, int passes)
    {
        var model = SmallRun.Configuration.Model with { Layers = layers };
        var configuration = SmallRun.Configuration with
        {
            Model = model, MicroBatch = 1, GlobalBatch = ranks * passes, Precision = ComputePrecision.Bf16, Zero = new ZeroConfiguration { RanksPerNode = ranksPerNode },
        };

        var moved = Moved(await StepAsync(configuration, ranks, ranksPerNode));

        var dimensions = new ModelSpec { Layers = layers, HiddenSize = model.HiddenSize, MlpSize = model.MlpSize, VocabularySize = model.VocabularySize };
        Assert.Equal(ZeroTraffic.SixteenBit(dimensions, ranks / ranksPerNode, ranksPerNode, passes), moved);
    }

    public static TheoryData<string, int, int, int, int> Plans => new()
    {
        { "stage 0", 3, 3, 3, 2 },
        { "stage 1", 4, 2, 3, 2 },
        { "stage 2", 4, 2, 3, 2 },
        { "ZeRO-3", 4, 2, 5, 3 },
        { "ZeRO-3 of many passes", 2, 1, 4, 6 },
        { "fp32", 4, 2, 3, 1 },
        { "qwZ", 4, 2, 5, 2 },
        { "hpZ", 4, 2, 5, 2 },
        { "qgZ", 4, 2, 3, 2 },
        { "ZeRO++", 4, 2, 5, 2 },
        { "ZeRO++ in one node", 4, 4, 3, 2 },
        { "groups smaller than a node", 4, 4, 3, 2 },
        { "groups larger than a node", 4, 1, 3, 2 },
        { "prefetch 3", 2, 1, 5, 2 },
    };

    [Theory]
    [MemberData(nameof(Plans))]
    public async Task Step_OfAPlannedJob_MovesAndHoldsWhatThePlanSays(string name, int ranks, int ranksPerNode, int layers, int passes)
    {
        var gradients = new GradientQuantization(BlockSize: 64, ErrorFeedback: true);
        var plain = new ZeroConfiguration { RanksPerNode = ranksPerNode };
        var all = plain with { WeightBlock = 64, SecondaryShards = true, Gradients = gradients };
        var zero = name switch
        {
            "stage 0" => plain with { Stage = 0 },
            "stage 1" => plain with { Stage = 1 },
            "stage 2" => plain with { Stage = 2 },
            "qwZ" => plain with { WeightBlock = 512 },
            "hpZ" => plain with { SecondaryShards = true },
            "qgZ" => plain with { Gradients = gradients },
            "prefetch 3" => plain with { Prefetch = 3 },
            _ when name.StartsWith("ZeRO++", StringComparison.Ordinal) => all,
            _ when name.StartsWith("groups", StringComparison.Ordinal) => all with { RanksPerNode = 2 },
            _ => plain,
        };
        var configuration = SmallRun.Configuration with
        {
            Model = SmallRun.Configuration.Model with { Layers = layers }, MicroBatch = 1, GlobalBatch = ranks * passes, Zero = zero, Precision = name == "fp32" ? ComputePrecision.Fp32 : ComputePrecision.Bf16,
        };
        var shape = new JobShape
        {
            Model = configuration.Model, Ranks = ranks, RanksPerNode = ranksPerNode, GroupSize = zero.RanksPerNode, GlobalBatch = configuration.GlobalBatch, MicroBatch = 1,
            ElementBytes = name == "fp32" ? 4 : 2, Stage = zero.Stage, WeightBlock = zero.WeightBlock, SecondaryShards = zero.SecondaryShards, Prefetch = zero.Prefetch,
            Gradients = zero.Gradients is { } given ? new GradientShape(given.IntraBits, given.InterBits, given.BlockSize, given.ErrorFeedback) : null,
        };

        var step = await StepAsync(configuration, ranks, ranksPerNode);

        var traffic = StepTraffic.Of(shape).Collectives.ToDictionary(collective => collective.Collective);
        Assert.Equal(Planned("all-gather"), step.Bytes(CollectiveOperation.AllGather));
        Assert.Equal(Planned("all-to-all"), step.Bytes(CollectiveOperation.AllToAll));
        // The loss and the norm are agreed on by all-reduces too.
        var (within, across) = step.Bytes(CollectiveOperation.AllReduce);
        Assert.InRange(within - Planned("all-reduce").Within, 0, 1024);
        Assert.InRange(across - Planned("all-reduce").Across, 0, 1024);
        var memory = MemoryPlan.Of(shape, isGpu: false);
        Assert.Equal(step.StateBytes, memory.Of(MemoryPart.Parameters) + memory.Of(MemoryPart.Gradients) + memory.Of(MemoryPart.Optimizer));
        Assert.Equal(step.SlotBytes, memory.Of(MemoryPart.Slots));

        (long Within, long Across) Planned(string collective) => traffic.TryGetValue(collective, out var bytes) ? (bytes.WithinNodes, bytes.AcrossNodes) : (0, 0);
    }

    /// <summary>All-reduces of the loss and the norm are no part of the formula.</summary>
    private static ZeroTraffic Moved(MeasuredStep step)
    {
        var operations = new[] { CollectiveOperation.AllGather, CollectiveOperation.AllToAll, CollectiveOperation.ReduceScatter }.Select(step.Bytes).ToList();
        return new ZeroTraffic(operations.Sum(bytes => bytes.Within), operations.Sum(bytes => bytes.Across));
    }

    /// <summary>The second step: what all ranks sent in it, and what rank 0 holds.</summary>
    private static async Task<MeasuredStep> StepAsync(TrainingConfiguration configuration, int ranks, int ranksPerNode)
    {
        var master = FreeEndPoint.Next();
        var groups = await Task.WhenAll(Enumerable.Range(0, ranks).Select(rank => TcpGroup.ConnectAsync(
            new RendezvousOptions
            {
                MasterAddress = master.Address, MasterPort = master.Port, Rank = rank, WorldSize = ranks, NodeRank = rank / ranksPerNode, RunId = "traffic", Attempt = 1, BindAddress = IPAddress.Loopback,
            },
            TestContext.Current.CancellationToken)));
        var measured = new MeasuredStep();
        Exception? failure = null;
        var threads = groups.Select((group, rank) => new Thread(() =>
        {
            try
            {
                using var loop = new TrainingLoop(configuration, group, SmallRun.Data);
                loop.Step();
                measured.Count(group.Statistics, -1);
                loop.Step();
                measured.Count(group.Statistics, +1);
                if (rank == 0)
                {
                    (measured.StateBytes, measured.SlotBytes) = (loop.StateBytes, loop.SlotBytes);
                }
            }
            catch (Exception e)
            {
                failure ??= e;
                group.DisposeAsync().AsTask().GetAwaiter().GetResult();
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        foreach (var group in groups)
        {
            await group.DisposeAsync();
        }

        return failure is null ? measured : throw new InvalidOperationException(failure.Message, failure);
    }

    private sealed class MeasuredStep
    {
        private readonly long[] _bytes = new long[2 * Enum.GetValues<CollectiveOperation>().Length];

        public long StateBytes { get; set; }

        public long SlotBytes { get; set; }

        public (long Within, long Across) Bytes(CollectiveOperation operation) => (_bytes[2 * (int)operation], _bytes[2 * (int)operation + 1]);

        public void Count(WireStatistics statistics, long sign)
        {
            foreach (var operation in Enum.GetValues<CollectiveOperation>())
            {
                Interlocked.Add(ref _bytes[2 * (int)operation], sign * statistics.Bytes(operation, WireScope.Intra));
                Interlocked.Add(ref _bytes[2 * (int)operation + 1], sign * statistics.Bytes(operation, WireScope.Inter));
            }
        }
    }
}
