namespace Phi.Collectives.Tests;

/// <summary>Every collective on every transport against its definition, at sizes around the rings' and of odd lengths.</summary>
[Collection("shared memory")]
public sealed class CollectiveTests
{
    private static readonly int[] Worlds = [1, 2, 3, 4];
    private static readonly int[] Sizes = [0, 1, 7, 1000, 70_001];

    public static MatrixTheoryData<int, int, int> Cases => new(Transports, Worlds, Sizes);

    public static MatrixTheoryData<int, (int World, int Count)> OddCases => new(Transports, [(1, 5), (3, 1), (4, 10), (4, 3)]);

    public static MatrixTheoryData<int, int> Roots => new(Transports, [0, 2]);

    private static IEnumerable<int> Transports => Enum.GetValues<World.Transport>().Cast<int>();

    private static CollectiveOptions SmallRings { get; } = new() { RingBytes = 4096 };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task AllGather_AnySize_IsEveryShardInRankOrder(int transport, int world, int size)
    {
        var results = await World.RunAsync((World.Transport)transport, world, group =>
        {
            var receive = new float[world * size];
            World.Pinned(Values(group.Rank, size), send => World.Pinned(receive, to => group.AllGather(send, to, size * sizeof(float)).Wait()));
            return receive;
        }, SmallRings);

        var expected = Enumerable.Range(0, world).SelectMany(rank => Values(rank, size)).ToArray();
        Assert.All(results, result => Assert.Equal(expected, result));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task AllToAll_AnySize_IsTheTransposition(int transport, int world, int size)
    {
        var results = await World.RunAsync((World.Transport)transport, world, group =>
        {
            var receive = new float[world * size];
            World.Pinned(Values(group.Rank, world * size), send => World.Pinned(receive, to => group.AllToAll(send, to, size * sizeof(float)).Wait()));
            return receive;
        }, SmallRings);

        for (var rank = 0; rank < world; rank++)
        {
            var expected = Enumerable.Range(0, world).SelectMany(from => Values(from, world * size).Skip(rank * size).Take(size)).ToArray();
            Assert.Equal(expected, results[rank]);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task ReduceScatterThenAllGather_AnySize_EqualsAllReduceAndTheSumInRankOrder(int transport, int world, int size)
    {
        var results = await World.RunAsync((World.Transport)transport, world, group =>
        {
            var all = Values(group.Rank, world * size);
            var shard = new float[size];
            var gathered = new float[world * size];
            World.Pinned(all, send => World.Pinned(shard, own =>
            {
                group.ReduceScatter(send, own, size).Wait();
                World.Pinned(gathered, to => group.AllGather(own, to, size * sizeof(float)).Wait());
                group.AllReduce(send, all.Length).Wait();
            }));
            return (Gathered: gathered, Reduced: all);
        }, SmallRings);

        var expected = Values(0, world * size);
        for (var rank = 1; rank < world; rank++)
        {
            expected = [.. expected.Zip(Values(rank, world * size), (a, b) => a + b)];
        }

        Assert.All(results, result =>
        {
            Assert.Equal(expected, result.Gathered);
            Assert.Equal(expected, result.Reduced);
        });
    }

    [Theory]
    [MemberData(nameof(OddCases))]
    public async Task AllReduce_CountThatTheWorldDoesNotDivide_SumsEveryValue(int transport, (int World, int Count) odd)
    {
        var (world, count) = odd;
        var results = await World.RunAsync((World.Transport)transport, world, group =>
        {
            var values = Enumerable.Range(0, count).Select(i => (float)(i + group.Rank)).ToArray();
            World.Pinned(values, buffer => group.AllReduce(buffer, count).Wait());
            return values;
        });

        var expected = Enumerable.Range(0, count).Select(i => (float)(world * i + world * (world - 1) / 2)).ToArray();
        Assert.All(results, result => Assert.Equal(expected, result));
    }

    [Theory]
    [MemberData(nameof(Roots))]
    public async Task Broadcast_AnyRoot_ReachesEveryRank(int transport, int root)
    {
        var results = await World.RunAsync((World.Transport)transport, 3, group =>
        {
            var values = Values(group.Rank, 5000);
            World.Pinned(values, buffer => group.Broadcast(buffer, values.Length * sizeof(float), root).Wait());
            return values;
        }, SmallRings);

        Assert.All(results, result => Assert.Equal(Values(root, 5000), result));
    }

    [Theory]
    [InlineData((int)World.Transport.TwoNodes)]
    [InlineData((int)World.Transport.Nccl)]
    [InlineData((int)World.Transport.Staged)]
    public async Task Split_ByNode_GivesGroupsThatWorkApart(int transport)
    {
        var results = await World.RunAsync((World.Transport)transport, 4, group =>
        {
            var node = group.Split(group.Rank / 2);
            var value = new float[] { group.Rank };
            World.Pinned(value, buffer => node.AllReduce(buffer, 1).Wait());
            return (node.Rank, node.WorldSize, Sum: value[0]);
        });

        Assert.Equal([(0, 2, 1f), (1, 2, 1f), (0, 2, 5f), (1, 2, 5f)], results);
    }

    [Theory]
    [InlineData((int)World.Transport.TwoNodes)]
    [InlineData((int)World.Transport.Nccl)]
    [InlineData((int)World.Transport.Staged)]
    public async Task Statistics_OnTwoNodes_CountBytesByScope(int transport)
    {
        var results = await World.RunAsync((World.Transport)transport, 4, group =>
        {
            var receive = new byte[400];
            World.Pinned(new byte[100], send => World.Pinned(receive, to => group.AllGather(send, to, 100).Wait()));
            return (Intra: group.Statistics.Bytes(CollectiveOperation.AllGather, WireScope.Intra), Inter: group.Statistics.Bytes(CollectiveOperation.AllGather, WireScope.Inter));
        });

        Assert.All(results, result => Assert.Equal((100L, 200L), result));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Collective_PeerLeaves_NamesItAndTheOperation(int transport)
    {
        var groups = await World.CreateAsync((World.Transport)transport, 3);
        await groups[1].DisposeAsync();

        var error = Assert.Throws<CollectiveException>(() => World.Pinned(new float[3], buffer => groups[0].AllReduce(buffer, 3).Wait()));

        Assert.Equal((CollectiveOperation.AllReduce, 1), (error.Operation, error.MissingRank));
        await groups[0].DisposeAsync();
        await groups[2].DisposeAsync();
    }

    [Fact]
    public async Task Collective_PeerIsSilent_NamesItAfterTheDeadline()
    {
        var groups = await World.CreateAsync(World.Transport.SharedMemory, 2, new CollectiveOptions { Deadline = TimeSpan.FromMilliseconds(50) });

        var error = Assert.Throws<CollectiveException>(() => groups[0].Barrier().Wait());

        Assert.Equal((CollectiveOperation.Barrier, 1), (error.Operation, error.MissingRank));
        await groups[0].DisposeAsync();
        await groups[1].DisposeAsync();
    }

    [Fact]
    public async Task Collective_PeerLeavesASplitGroup_IsNamedByItsRankInTheWorld()
    {
        var groups = await World.CreateAsync(World.Transport.InProcess, 4);
        var splits = new ICommunicator[4];
        var threads = groups.Select((group, rank) => new Thread(() => splits[rank] = group.Split(rank % 2))).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        await groups[3].DisposeAsync();

        var error = Assert.Throws<CollectiveException>(() => splits[1].Barrier().Wait());

        Assert.Equal(3, error.MissingRank);
        foreach (var group in groups.Take(3))
        {
            await group.DisposeAsync();
        }
    }

    private static float[] Values(int rank, int count) =>
        [.. Enumerable.Range(0, count).Select(i => MathF.Sin(i * 0.37f + rank) * (rank + 1.1f))];
}
