namespace Phi.Collectives.Tests;

/// <summary>The generation barrier.</summary>
[Collection("shared memory")]
public sealed class RendezvousTests
{
    [Fact]
    public async Task Connect_RankOfAnotherAttempt_IsRefusedAndTheOthersMeet()
    {
        var master = FreeEndPoint.Next();
        var first = TcpGroup.ConnectAsync(World.Options(0, 2, master, World.Transport.Tcp), CancellationToken.None);
        var stale = World.Options(1, 2, master, World.Transport.Tcp) with { Attempt = 0 };

        var error = await Assert.ThrowsAsync<RendezvousException>(() => TcpGroup.ConnectAsync(stale, CancellationToken.None));
        var second = await TcpGroup.ConnectAsync(World.Options(1, 2, master, World.Transport.Tcp), CancellationToken.None);

        Assert.Contains("attempt 0 may not join", error.Message, StringComparison.Ordinal);
        await (await first).DisposeAsync();
        await second.DisposeAsync();
    }

    [Fact]
    public async Task Connect_RankIsMissing_NamesItAfterTheTimeout()
    {
        var options = World.Options(0, 3, FreeEndPoint.Next(), World.Transport.Tcp) with { Timeout = TimeSpan.FromMilliseconds(100) };

        var error = await Assert.ThrowsAsync<RendezvousException>(() => TcpGroup.ConnectAsync(options, CancellationToken.None));

        Assert.Contains("rank 1, 2 did not come", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_SharedMemory_LeavesNoFileBehind()
    {
        var before = Directory.GetFiles("/dev/shm", "phi-*").ToHashSet();
        var groups = await World.CreateAsync(World.Transport.SharedMemory, 3);
        foreach (var group in groups)
        {
            await group.DisposeAsync();
        }

        Assert.Empty(Directory.GetFiles("/dev/shm", "phi-*").Except(before));
    }
}
