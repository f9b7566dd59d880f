using Phi.Collectives.Cuda;
using Phi.Collectives.Tests.Cuda;
using Phi.Collectives.Tests.Nccl;
using Phi.StandIns;

namespace Phi.Collectives.Tests;

/// <summary>What the staged transport adds to the host's; its collectives are tested with every transport's.</summary>
[Collection(GpuStandIn.Name)]
public sealed class StagedCommunicatorTests
{
    [Fact]
    public async Task Collective_PeerLeaves_NamesItAndTheOperation()
    {
        await using var world = await GpuWorld.CreateAsync(3, isStaged: true);
        await world.Groups[1].DisposeAsync();

        var error = world.OnDevice(0, group =>
        {
            CollectiveException? thrown = null;
            World.Pinned(new float[3], buffer => thrown = Assert.Throws<CollectiveException>(() => group.AllReduce(buffer, 3).Wait()));
            return thrown!;
        });

        Assert.Equal((CollectiveOperation.AllReduce, 1), (error.Operation, error.MissingRank));
    }

    [Fact]
    public async Task Collective_EarlierWorkOfTheStream_IsWaitedFor()
    {
        await using var world = await GpuWorld.CreateAsync(2, isStaged: true);

        var results = world.Run(group =>
        {
            var values = new float[1];
            World.Pinned(values, buffer =>
            {
                StandInDriver.Enqueue(CudaStream.Current, () =>
                {
                    Thread.Yield();
                    Volatile.Write(ref values[0], group.Rank + 1);
                });
                group.AllReduce(buffer, 1).Wait();
            });
            return values[0];
        });

        Assert.Equal([3f, 3f], results);
    }

    [Fact]
    public async Task Dispose_GivesBackThePageLockedMemory()
    {
        StandInLibraries.Use();
        var before = StandInDriver.LiveHostAllocations;
        await using (var world = await GpuWorld.CreateAsync(2, isStaged: true))
        {
            world.Run(group =>
            {
                World.Pinned(new byte[300], memory => group.AllToAll(memory, memory + 200, 50).Wait());
                return true;
            });
            Assert.Equal(before + 4, StandInDriver.LiveHostAllocations);
        }

        Assert.Equal(before, StandInDriver.LiveHostAllocations);
    }
}
