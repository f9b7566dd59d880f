using System.Net;
using Phi.Api.TrainingJobs;
using Phi.Api.Traffic;
using Phi.Collectives;
using Phi.Training.Loop;
using Phi.Training.Zero;

namespace Phi.Training.Tests;

/// <summary>The closed formula of 16-bit ZeRO-3's bytes against what the transport counts when the engine runs it.</summary>
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

        var moved = await StepAsync(configuration, ranks, ranksPerNode);

        var dimensions = new ModelSpec { Layers = layers, HiddenSize = model.HiddenSize, MlpSize = model.MlpSize, VocabularySize = model.VocabularySize };
        Assert.Equal(ZeroTraffic.SixteenBit(dimensions, ranks / ranksPerNode, ranksPerNode, passes), moved);
    }

    /// <summary>What all ranks sent in gathers and reductions in the second step.</summary>
    private static async Task<ZeroTraffic> StepAsync(TrainingConfiguration configuration, int ranks, int ranksPerNode)
    {
        var master = FreeEndPoint.Next();
        var groups = await Task.WhenAll(Enumerable.Range(0, ranks).Select(rank => TcpGroup.ConnectAsync(
            new RendezvousOptions
            {
                MasterAddress = master.Address, MasterPort = master.Port, Rank = rank, WorldSize = ranks, NodeRank = rank / ranksPerNode, RunId = "traffic", Attempt = 1, BindAddress = IPAddress.Loopback,
            },
            TestContext.Current.CancellationToken)));
        var (within, across) = (new long[ranks], new long[ranks]);
        Exception? failure = null;
        var threads = groups.Select((group, rank) => new Thread(() =>
        {
            try
            {
                using var loop = new TrainingLoop(configuration, group, SmallRun.Data);
                loop.Step();
                (within[rank], across[rank]) = (-Moved(group, WireScope.Intra), -Moved(group, WireScope.Inter));
                loop.Step();
                (within[rank], across[rank]) = (within[rank] + Moved(group, WireScope.Intra), across[rank] + Moved(group, WireScope.Inter));
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

        return failure is null ? new ZeroTraffic(within.Sum(), across.Sum()) : throw new InvalidOperationException(failure.Message, failure);
    }

    /// <summary>All-reduces of the loss and the norm are no part of the formula.</summary>
    private static long Moved(ICommunicator group, WireScope scope) =>
        group.Statistics.Bytes(CollectiveOperation.AllGather, scope) + group.Statistics.Bytes(CollectiveOperation.AllToAll, scope) + group.Statistics.Bytes(CollectiveOperation.ReduceScatter, scope);
}
