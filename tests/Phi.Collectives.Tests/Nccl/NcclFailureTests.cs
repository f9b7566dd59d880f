using Phi.Collectives.Cuda;
using Phi.Collectives.Tests.Cuda;
using Phi.StandIns;

namespace Phi.Collectives.Tests.Nccl;

/// <summary>A rank that is missing gives every other rank an error that names it and the collective, and lets its stream go.</summary>
[Collection(GpuStandIn.Name)]
public sealed class NcclFailureTests
{
    // A death is told by a socket, long before this.
    private static readonly CollectiveOptions Long = new() { Deadline = TimeSpan.FromMinutes(5) };
    private static readonly CollectiveOptions Short = new() { Deadline = TimeSpan.FromMilliseconds(1500) };

    [Fact]
    public async Task Collective_RankDiesInsideAnother_IsNamedOnEveryOtherRank()
    {
        await using var world = await GpuWorld.CreateAsync(3, options: Long);
        var pairs = Split(world, rank => rank / 2);

        var errors = world.Run(group =>
        {
            if (group.Rank == 1)
            {
                World.Unsynchronized(new byte[64], _ => pairs[1].Barrier());
                group.DisposeAsync().AsTask().GetAwaiter().GetResult();
                return null;
            }

            return Stuck(group);
        });

        Assert.All([errors[0], errors[2]], error => Assert.Equal((CollectiveOperation.AllGather, 1), (error!.Operation, error.MissingRank)));
        Assert.Contains("rank 1 closed its connection (its process ended)", errors[2]!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Collective_RankZeroDies_IsNamedByTheOthers()
    {
        await using var world = await GpuWorld.CreateAsync(3, options: Long);
        var pairs = Split(world, rank => rank / 2);

        var errors = world.Run(group =>
        {
            if (group.Rank == 0)
            {
                World.Unsynchronized(new byte[64], _ => pairs[0].Barrier());
                group.DisposeAsync().AsTask().GetAwaiter().GetResult();
                return null;
            }

            return Stuck(group);
        });

        Assert.All([errors[1], errors[2]], error => Assert.Equal((CollectiveOperation.AllGather, 0), (error!.Operation, error.MissingRank)));
    }

    [Fact]
    public async Task Collective_RankIsStuckElsewhere_IsNamedAfterTheDeadlineAndEveryRankAbortsOnce()
    {
        StandInLibraries.Use();
        foreach (var device in new[] { 0, 1, 2 })
        {
            StandInNccl.TakeTrace(device);
        }

        var world = await GpuWorld.CreateAsync(3, options: Short);
        var errors = world.Run(group => group.Rank == 1 ? null : Stuck(group));
        Assert.All([errors[0], errors[2]], error =>
        {
            Assert.Equal((CollectiveOperation.AllGather, 1), (error!.Operation, error.MissingRank));
            Assert.Contains("rank 1 did not reach it: no end within 1.5 s; it answers", error.Message, StringComparison.Ordinal);
        });
        var own = world.OnDevice(1, Stuck);
        await world.DisposeAsync();

        Assert.Equal(1, own!.MissingRank);
        Assert.Equal("init 0 of 3\nallgather 8\nabort\n", StandInNccl.TakeTrace(0));
        Assert.Equal("init 1 of 3\nabort\n", StandInNccl.TakeTrace(1));
        Assert.Equal("init 2 of 3\nallgather 8\nabort\n", StandInNccl.TakeTrace(2));
    }

    [Fact]
    public async Task Collective_OthersWaitForARankThatWaits_TheOneThatNobodyWaitsInIsNamed()
    {
        await using var world = await GpuWorld.CreateAsync(4, options: Short);
        var nodes = Split(world, rank => rank / 2);
        var across = Split(world, rank => rank % 2);

        // 2 waits across for 0, which waits within its node for 1, which is in no collective.
        var errors = world.Run(group => group.Rank switch { 0 => Stuck(nodes[0]), 1 => null, 2 => Stuck(across[2]), _ => Stuck(across[3]) });

        Assert.All([errors[0], errors[2], errors[3]], error => Assert.Equal(1, error!.MissingRank));
    }

    [Fact]
    public async Task Collective_CommunicatorsAreStuckOneBehindTheOther_EveryOneIsLetGo()
    {
        await using var world = await GpuWorld.CreateAsync(3, options: Short);
        var pairs = Split(world, rank => rank / 2);

        var error = world.OnDevice(0, group =>
        {
            World.Unsynchronized(new byte[64], memory =>
            {
                pairs[0].Barrier().Wait();
                group.AllGather(memory, memory + 8, 8).Wait();
                CudaStream.SynchronizeCurrent();
            });
            return Assert.Throws<CollectiveException>(() => group.Barrier());
        });

        Assert.Equal((CollectiveOperation.Barrier, 1), (error.Operation, error.MissingRank));
    }

    [Fact]
    public async Task Collective_OfASplitGroup_NamesTheRankOfTheWorld()
    {
        await using var world = await GpuWorld.CreateAsync(4, options: Short);
        var groups = Split(world, rank => rank % 2);

        var errors = world.Run(group => group.Rank == 1 ? Stuck(groups[1]) : null);

        Assert.Equal((1, 3), (groups[3].Rank, errors[1]!.MissingRank));
        Assert.StartsWith("AllGather on rank 1: rank 3 ", errors[1]!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Collective_RankLeftInOrder_IsNamed()
    {
        await using var world = await GpuWorld.CreateAsync(3, options: Long);
        await world.Groups[1].DisposeAsync();

        var errors = world.Run(group => group.Rank == 1 ? null : Stuck(group));

        Assert.All([errors[0], errors[2]], error => Assert.Equal((CollectiveOperation.AllGather, 1), (error!.Operation, error.MissingRank)));
        Assert.Contains("rank 1 left the group before it ended", errors[0]!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Collective_NcclTellsAnErrorLater_EveryRankIsToldWhereAndWhat()
    {
        await using var world = await GpuWorld.CreateAsync(3, options: Long);

        var errors = world.Run(group =>
        {
            if (group.Rank == 2)
            {
                StandInNccl.Fail(2, StandInNccl.RemoteError);
            }

            return Stuck(group);
        });

        Assert.All(errors, error => Assert.Contains("rank 2 reported an error of NCCL: remote process exited or there was a network error (6): said by the stand-in for NCCL", error!.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Wait_GroupIsOver_ThrowsForACollectiveOfBefore()
    {
        await using var world = await GpuWorld.CreateAsync(2, options: Short);
        CollectiveHandle before = default;

        world.OnDevice(0, group =>
        {
            World.Unsynchronized(new byte[64], memory =>
            {
                before = group.Broadcast(memory, 8, 0);
                before.Wait();
                CudaStream.SynchronizeCurrent();
            });
            return true;
        });

        Assert.Equal((CollectiveOperation.Broadcast, 1), Assert.Throws<CollectiveException>(before.Wait) is var error ? (error.Operation, error.MissingRank) : default);
    }

    private static ICommunicator[] Split(GpuWorld world, Func<int, int> color) => world.Run(group => group.Split(color(group.Rank)));

    /// <summary>What an engine does: a collective, the stream's end, the next collective; the error of whichever gives it.</summary>
    private static CollectiveException? Stuck(ICommunicator group)
    {
        CollectiveException? error = null;
        World.Unsynchronized(new byte[64], memory => error = Assert.Throws<CollectiveException>(() =>
        {
            group.AllGather(memory, memory + 8, 8).Wait();
            CudaStream.SynchronizeCurrent();
            group.Barrier().Wait();
        }));
        return error;
    }
}
