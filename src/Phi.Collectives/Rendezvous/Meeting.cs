using System.Net;
using System.Net.Sockets;

namespace Phi.Collectives.Rendezvous;

/// <summary>The generation barrier: rank 0 collects every rank's hello of this run and attempt, then tells all of all.</summary>
internal static class Meeting
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(50);

    public static Task<IReadOnlyList<Hello>> MeetAsync(Hello self, RendezvousOptions options, CancellationToken cancellationToken) =>
        self.Rank == 0 ? HostAsync(self, options, cancellationToken) : JoinAsync(self, options, cancellationToken);

    private static async Task<IReadOnlyList<Hello>> HostAsync(Hello self, RendezvousOptions options, CancellationToken cancellationToken)
    {
        using var listener = await ListenAsync(new IPEndPoint(options.MasterAddress, options.MasterPort), cancellationToken);
        var hellos = new Hello?[self.WorldSize];
        hellos[0] = self;
        var members = new Socket?[self.WorldSize];
        try
        {
            while (Array.Exists(hellos, hello => hello is null))
            {
                var guest = await AcceptAsync(listener, hellos, cancellationToken);
                if (await AdmitAsync(guest, self, cancellationToken) is { } hello)
                {
                    // A rank that asks again (its first connection was lost) takes its own place.
                    members[hello.Rank]?.Dispose();
                    members[hello.Rank] = guest;
                    hellos[hello.Rank] = hello;
                }
                else
                {
                    guest.Dispose();
                }
            }

            var roster = new Roster(hellos!, null);
            foreach (var member in members.OfType<Socket>())
            {
                await Wire.SendAsync(member, roster, cancellationToken);
            }

            return hellos!;
        }
        finally
        {
            foreach (var member in members)
            {
                member?.Dispose();
            }
        }
    }

    private static async Task<Socket> AcceptAsync(Socket listener, Hello?[] hellos, CancellationToken cancellationToken)
    {
        try
        {
            return await listener.AcceptAsync(cancellationToken);
        }
        catch (OperationCanceledException e)
        {
            var missing = Enumerable.Range(0, hellos.Length).Where(rank => hellos[rank] is null);
            throw new RendezvousException($"rank {string.Join(", ", missing)} did not come to the rendezvous in time", e);
        }
    }

    private static async Task<Hello?> AdmitAsync(Socket guest, Hello self, CancellationToken cancellationToken)
    {
        try
        {
            var hello = await Wire.ReceiveAsync<Hello>(guest, cancellationToken);
            if (Refusal(hello, self) is not { } refusal)
            {
                return hello;
            }

            await Wire.SendAsync(guest, new Roster(null, refusal), cancellationToken);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // A guest that speaks something else, or left: the meeting goes on without it.
        }

        return null;
    }

    private static string? Refusal(Hello hello, Hello self)
    {
        if (hello.RunId != self.RunId || hello.Attempt != self.Attempt)
        {
            return $"this is the rendezvous of run {self.RunId}, attempt {self.Attempt}; rank {hello.Rank} of run {hello.RunId}, attempt {hello.Attempt} may not join";
        }

        return hello.WorldSize != self.WorldSize || hello.Rank <= 0 || hello.Rank >= self.WorldSize
            ? $"rank {hello.Rank} of a world of {hello.WorldSize} may not join a world of {self.WorldSize}"
            : null;
    }

    private static async Task<IReadOnlyList<Hello>> JoinAsync(Hello self, RendezvousOptions options, CancellationToken cancellationToken)
    {
        var master = new IPEndPoint(options.MasterAddress, options.MasterPort);
        while (true)
        {
            using var socket = new Socket(master.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(master, cancellationToken);
                await Wire.SendAsync(socket, self, cancellationToken);
                var roster = await Wire.ReceiveAsync<Roster>(socket, cancellationToken);
                return roster.Ranks ?? throw new RendezvousException($"refused by rank 0 at {master}: {roster.Refusal}");
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                // Rank 0 is not there yet, or a stale one just left.
            }
            catch (OperationCanceledException e)
            {
                throw new RendezvousException($"rank 0 at {master} did not open the rendezvous in time", e);
            }

            await Task.Delay(Retry, options.Collectives.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task<Socket> ListenAsync(IPEndPoint at, CancellationToken cancellationToken)
    {
        while (true)
        {
            var listener = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
                listener.Bind(at);
                listener.Listen(512);
                return listener;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                listener.Dispose();
                if (cancellationToken.IsCancellationRequested)
                {
                    throw new RendezvousException($"{at} is in use by another process", e);
                }

                await Task.Delay(Retry, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
