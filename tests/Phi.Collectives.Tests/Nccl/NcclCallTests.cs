using Phi.Collectives.Tests.Cuda;
using Phi.StandIns;

namespace Phi.Collectives.Tests.Nccl;

/// <summary>The calls of NCCL that each collective makes on rank 1 of 3.</summary>
[Collection(GpuStandIn.Name)]
public sealed class NcclCallTests
{
    private const string Exchange28 = "group start\nsend 28 to 2\nrecv 28 from 0\nsend 28 to 0\nrecv 28 from 2\ngroup end\n";

    [Fact]
    public async Task AllGather_OneCall() => Assert.Equal("allgather 28\n", await CallsAsync((group, memory) => group.AllGather(memory, memory + 1024, 28)));

    [Fact]
    public async Task AllGather_OwnPlaceInTheReceiveBuffer_OneCall() => Assert.Equal("allgather 28\n", await CallsAsync((group, memory) => group.AllGather(memory + group.Rank * 28, memory, 28)));

    [Fact]
    public async Task AllToAll_IsAGroupOfPairsWithoutTheOwnBlock() => Assert.Equal(Exchange28, await CallsAsync((group, memory) => group.AllToAll(memory, memory + 1024, 28)));

    [Fact]
    public async Task ReduceScatter_IsAnAllToAll() => Assert.Equal(Exchange28, await CallsAsync((group, memory) => group.ReduceScatter(memory, memory + 1024, 7)));

    [Fact]
    public async Task AllReduce_CountThatTheWorldDivides_IsAnAllToAllAndAnAllGather() =>
        Assert.Equal(Exchange28 + "allgather 28\n", await CallsAsync((group, memory) => group.AllReduce(memory, 21)));

    [Fact]
    public async Task AllReduce_CountThatTheWorldDoesNotDivide_SendsShortBlocksAndNoEmptyOnes() =>
        Assert.Equal(
            "group start\nrecv 8 from 0\nsend 8 to 0\nrecv 8 from 2\ngroup end\ngroup start\nsend 8 to 2\nrecv 8 from 0\nsend 8 to 0\ngroup end\n",
            await CallsAsync((group, memory) => group.AllReduce(memory, 4)));

    [Fact]
    public async Task Broadcast_OneCall() => Assert.Equal("broadcast 28 from 2\n", await CallsAsync((group, memory) => group.Broadcast(memory, 28, 2)));

    [Fact]
    public async Task Barrier_IsTheSmallestAllReduce() => Assert.Equal("allreduce 1\n", await CallsAsync((group, _) => group.Barrier()));

    [Fact]
    public async Task Collectives_OfNothing_CallNothing() => Assert.Equal("", await CallsAsync((group, memory) =>
    {
        group.AllGather(memory, memory, 0).Wait();
        group.AllToAll(memory, memory, 0).Wait();
        group.ReduceScatter(memory, memory, 0).Wait();
        group.AllReduce(memory, 0).Wait();
        return group.Broadcast(memory, 0, 0);
    }));

    [Fact]
    public async Task Split_JoinsANewCommunicatorOfItsColor() => Assert.Equal("init 0 of 1\n", await CallsAsync((group, _) =>
    {
        group.Split(group.Rank % 2);
        return default;
    }));

    [Fact]
    public async Task Group_FromBeginningToEnd_JoinsFinalizesAndDestroys()
    {
        StandInLibraries.Use();
        StandInNccl.TakeTrace(1);
        await (await GpuWorld.CreateAsync(3)).DisposeAsync();

        Assert.Equal("init 1 of 3\nfinalize\ndestroy\n", StandInNccl.TakeTrace(1));
    }

    private static async Task<string> CallsAsync(Func<ICommunicator, nint, CollectiveHandle> collective)
    {
        await using var world = await GpuWorld.CreateAsync(3);
        StandInNccl.TakeTrace(1);
        world.Run(group =>
        {
            World.Pinned(new byte[4096], memory => collective(group, memory).Wait());
            return true;
        });
        return StandInNccl.TakeTrace(1);
    }
}
