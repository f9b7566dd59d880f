using CsCheck;
using Phi.Collectives.Cuda;
using Phi.Collectives.Nccl;
using Phi.Collectives.Nccl.Control;
using Phi.Collectives.Tests.Cuda;
using Phi.StandIns;

namespace Phi.Collectives.Tests.Nccl;

/// <summary>A group on devices: its bits, its bytes, its memory, and how it begins.</summary>
[Collection(GpuStandIn.Name)]
public sealed class NcclGroupTests
{
    private static readonly CollectiveOptions Short = new() { Deadline = TimeSpan.FromSeconds(1) };

    [Fact]
    public void Reductions_AnyValues_HaveTheBitsOfTheInProcessTransport() =>
        Gen.Select(Gen.Int[1, 4], Gen.Int[1, 40], Gen.Float.Array[160]).Sample(
            (world, size, values) =>
            {
                var expected = ReduceAsync(World.Transport.InProcess, world, size, values).GetAwaiter().GetResult();
                var got = ReduceAsync(World.Transport.Nccl, world, size, values).GetAwaiter().GetResult();
                Assert.Equal(expected, got);
            },
            iter: 30,
            threads: 1);

    [Theory]
    [InlineData((int)World.Transport.Nccl)]
    [InlineData((int)World.Transport.Staged)]
    public async Task Statistics_EveryCollective_CountsWhatTheSocketsOfTwoNodesCarry(int transport)
    {
        Assert.Equal(await CountAsync(World.Transport.TwoNodes), await CountAsync((World.Transport)transport));

        static Task<string[]> CountAsync(World.Transport transport) => World.RunAsync(transport, 4, group =>
        {
            World.Pinned(new byte[4096], memory =>
            {
                group.AllGather(memory, memory + 1024, 100).Wait();
                group.AllToAll(memory, memory + 1024, 28).Wait();
                group.ReduceScatter(memory, memory + 1024, 7).Wait();
                group.AllReduce(memory, 8).Wait();
                group.AllReduce(memory, 9).Wait();
                group.Broadcast(memory, 50, 1).Wait();
                group.Barrier().Wait();
            });
            return string.Join('\n', Enum.GetValues<CollectiveOperation>().Select(operation => $"{operation} {group.Statistics.Bytes(operation, WireScope.Intra)} {group.Statistics.Bytes(operation, WireScope.Inter)}"));
        });
    }

    [Fact]
    public async Task Wait_PeerHasNotCome_ReturnsAndTheStreamHasTheResultLater()
    {
        await using var world = await GpuWorld.CreateAsync(2);
        var received = new int[2];

        World.Pinned(new[] { 5 }, send => World.Pinned(received, receive => world.OnDevice(0, group =>
        {
            // On one thread: a wait that blocked would never come to the other rank.
            group.AllGather(send, receive, sizeof(int)).Wait();
            var done = new CudaEvent();
            done.Record();
            Assert.False(done.IsDone);
            world.OnDevice(1, other =>
            {
                World.Pinned(new[] { 7 }, otherSend => World.Pinned(new int[2], otherReceive => other.AllGather(otherSend, otherReceive, sizeof(int)).Wait()));
                return true;
            });
            return Wait(done);
        })));

        Assert.Equal([5, 7], received);
    }

    [Fact]
    public async Task Collective_OnAnotherStreamThanTheOneBefore_IsDoneAfterIt()
    {
        await using var world = await GpuWorld.CreateAsync(2);

        var results = world.Run(group =>
        {
            using var second = new CudaStream();
            var values = new float[2];
            World.Pinned(values, buffer =>
            {
                // The scratch is there before the stream is held.
                group.AllReduce(buffer, 1).Wait();
                CudaStream.SynchronizeCurrent();
                values[0] = group.Rank + 1;
                using (StandInDriver.Hold(CudaStream.Current))
                {
                    group.AllReduce(buffer, 1).Wait();
                    second.MakeCurrent();
                    group.AllReduce(buffer, 1).Wait();
                    using var done = new CudaEvent();
                    done.Record();
                    Assert.False(done.IsDone);
                }

                CudaStream.SynchronizeCurrent();
            });
            return values[0];
        });

        Assert.Equal([6f, 6f], results);
    }

    [Fact]
    public async Task Memory_AfterTheFirstRound_GrowsNoMoreAndIsGivenBackAtTheEnd()
    {
        StandInLibraries.Use();
        var before = StandInDriver.LiveAllocations;
        var world = await GpuWorld.CreateAsync(2);
        var afterFirst = 0;
        world.Run(group =>
        {
            World.Pinned(new float[100], buffer =>
            {
                group.AllReduce(buffer, 100).Wait();
                group.Barrier().Wait();
                CudaStream.SynchronizeCurrent();
                afterFirst = StandInDriver.LiveAllocations;
                for (var i = 0; i < 20; i++)
                {
                    group.ReduceScatter(buffer, buffer, 50).Wait();
                    group.AllReduce(buffer, 99).Wait();
                }
            });
            return true;
        });

        Assert.Equal(afterFirst, StandInDriver.LiveAllocations);
        await world.DisposeAsync();
        Assert.Equal(before, StandInDriver.LiveAllocations);
    }

    [Fact]
    public async Task Connect_TwoRanksOfANodeOnOneDevice_IsRefusedOnBothWithTheRemedy()
    {
        StandInLibraries.Use();
        var hosts = InProcessGroup.Create(2);
        using var context = new CudaContext(3);

        var errors = await Task.WhenAll(hosts.Select(async host => await Assert.ThrowsAsync<RendezvousException>(() => Task.Run(() =>
            NcclGroup.ConnectAsync(host, context, (_, _, _) => { }, GpuWorld.Options(host, null) with { NodeRank = 0 }, CancellationToken.None)))));

        Assert.All(errors, error => Assert.Equal(
            "ranks 0 and 1 of node 0 share CUDA device 3 (0000:13:00), and NCCL joins only ranks with a GPU each: give the node one rank for each GPU, or join these ranks by a StagedCommunicator",
            error.Message));
    }

    [Fact]
    public async Task Connect_RankDoesNotCome_NamesItAfterTheHostsDeadline()
    {
        var hosts = InProcessGroup.Create(3, Short);
        var contexts = GpuWorld.Open(3);

        var errors = await Task.WhenAll(new[] { 0, 1 }.Select(async rank => await Assert.ThrowsAsync<CollectiveException>(() => GpuWorld.ConnectAsync(hosts[rank], contexts[rank], Short))));

        Assert.All(errors, error => Assert.Equal(2, error.MissingRank));
        contexts.ForEach(context => context.Dispose());
    }

    [Fact]
    public async Task Connect_RankStopsBeforeItJoinsNccl_NamesItAfterTheDeadline()
    {
        var hosts = InProcessGroup.Create(3);
        var contexts = GpuWorld.Open(3);
        var options = GpuWorld.Options(hosts[2], Short);
        var stops = Task.Run(async () =>
        {
            _ = NcclApi.GetVersion(out var version);
            HostMessages.Gather(hosts[2], new NcclGroup.Seat(options.NodeRank, contexts[2].PciAddress, 2, version));
            var control = await ControlMeeting.MeetAsync(hosts[2], options, CancellationToken.None);
            HostMessages.Broadcast(hosts[2], new byte[NcclUniqueId.Size]);
            return control;
        });

        var errors = await Task.WhenAll(new[] { 0, 1 }.Select(async rank => await Assert.ThrowsAsync<RendezvousException>(() => GpuWorld.ConnectAsync(hosts[rank], contexts[rank], Short))));

        Assert.All(errors, error => Assert.Contains("rank 2 did not reach it: no end within 1 s", error.Message, StringComparison.Ordinal));
        (await stops).Leave(inOrder: false);
        contexts.ForEach(context => context.Dispose());
        Assert.Equal("", StandInNccl.TakeViolations());
    }

    private static Task<int[][]> ReduceAsync(World.Transport transport, int world, int size, float[] values) => World.RunAsync(transport, world, group =>
    {
        var own = values.Skip(group.Rank * 3).Concat(values).Take(world * size).ToArray();
        var shard = new float[size];
        World.Pinned(own, send => World.Pinned(shard, receive =>
        {
            group.ReduceScatter(send, receive, size).Wait();
            group.AllReduce(send, own.Length).Wait();
        }));
        return own.Concat(shard).Select(BitConverter.SingleToInt32Bits).ToArray();
    });

    private static bool Wait(CudaEvent done)
    {
        done.Wait();
        CudaStream.SynchronizeCurrent();
        done.Dispose();
        return true;
    }
}
