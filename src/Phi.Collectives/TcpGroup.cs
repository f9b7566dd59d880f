using System.Net;
using System.Net.Sockets;
using Phi.Collectives.Channels;
using Phi.Collectives.Rendezvous;

namespace Phi.Collectives;

/// <summary>Ranks as processes: shared memory within a node, TCP across. A socket per pair tells at once when a peer's process ends.</summary>
public static class TcpGroup
{
    /// <summary>Meets the other ranks of this run and attempt and connects to each of them.</summary>
    /// <exception cref="RendezvousException">A rank is missing after the timeout, or this one is refused.</exception>
    public static async Task<ICommunicator> ConnectAsync(RendezvousOptions options, CancellationToken cancellationToken)
    {
        if (options.Rank < 0 || options.Rank >= options.WorldSize)
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.Rank, $"the rank must be from 0 to {options.WorldSize - 1}, one below the world size");
        }

        using var deadline = new CancellationTokenSource(options.Timeout, options.Collectives.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        using var listener = new Socket(options.BindAddress.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(options.BindAddress, 0));
        listener.Listen(options.WorldSize);
        var port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        var self = new Hello(options.RunId, options.Attempt, options.Rank, options.WorldSize, options.NodeRank, options.BindAddress.ToString(), port);
        var channels = new PeerChannel?[options.WorldSize];
        try
        {
            var all = await Meeting.MeetAsync(self, options, either.Token);
            await Task.WhenAll(
                ConnectToLowerAsync(self, all, channels, options.Collectives, either.Token),
                AcceptHigherAsync(listener, self, all, channels, options.Collectives, either.Token));
            return new ChannelCommunicator(options.Rank, channels, options.Collectives);
        }
        catch (Exception e)
        {
            foreach (var channel in channels)
            {
                channel?.Dispose();
            }

            cancellationToken.ThrowIfCancellationRequested();
            throw e is OperationCanceledException or SocketException or IOException
                ? new RendezvousException($"rank {options.Rank} could not connect to every peer of run {options.RunId}, attempt {options.Attempt} within {options.Timeout.TotalSeconds:0.#} s: {e.Message}", e)
                : e;
        }
    }

    private static async Task ConnectToLowerAsync(Hello self, IReadOnlyList<Hello> all, PeerChannel?[] channels, CollectiveOptions options, CancellationToken cancellationToken)
    {
        for (var rank = 0; rank < self.Rank; rank++)
        {
            var peer = all[rank];
            var address = new IPEndPoint(IPAddress.Parse(peer.Address), peer.Port);
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(address, cancellationToken);
            await Wire.SendAsync(socket, self, cancellationToken);
            var offer = await Wire.ReceiveAsync<PairOffer>(socket, cancellationToken);
            if (offer.SharedMemory is not { } path)
            {
                channels[rank] = new SocketChannel(socket);
                continue;
            }

            var memory = SharedMemory.Open(path, options.RingBytes);
            await Wire.SendAsync(socket, new PairReady(true), cancellationToken);
            var (up, down) = memory.Rings();
            channels[rank] = Shared(down, up, memory, socket);
        }
    }

    private static async Task AcceptHigherAsync(Socket listener, Hello self, IReadOnlyList<Hello> all, PeerChannel?[] channels, CollectiveOptions options, CancellationToken cancellationToken)
    {
        for (var missing = self.WorldSize - 1 - self.Rank; missing > 0;)
        {
            var socket = await listener.AcceptAsync(cancellationToken);
            var peer = await Wire.ReceiveAsync<Hello>(socket, cancellationToken);
            if (peer.Rank <= self.Rank || peer.Rank >= self.WorldSize || peer != all[peer.Rank])
            {
                socket.Dispose();
                continue;
            }

            channels[peer.Rank] = peer.NodeRank == self.NodeRank
                ? await ShareAsync(socket, options, cancellationToken)
                : await StreamAsync(socket, cancellationToken);
            missing--;
        }
    }

    private static async Task<PeerChannel> StreamAsync(Socket socket, CancellationToken cancellationToken)
    {
        await Wire.SendAsync(socket, new PairOffer(null), cancellationToken);
        return new SocketChannel(socket);
    }

    private static async Task<PeerChannel> ShareAsync(Socket socket, CollectiveOptions options, CancellationToken cancellationToken)
    {
        var (memory, path) = SharedMemory.Create(options.RingBytes);
        try
        {
            await Wire.SendAsync(socket, new PairOffer(path), cancellationToken);
            await Wire.ReceiveAsync<PairReady>(socket, cancellationToken);
        }
        finally
        {
            File.Delete(path);
        }

        var (up, down) = memory.Rings();
        return Shared(up, down, memory, socket);
    }

    private static RingChannel Shared(RingBuffer outgoing, RingBuffer incoming, SharedMemory memory, Socket liveness)
    {
        liveness.Blocking = false;
        return new RingChannel(outgoing, incoming, () => SocketChannel.IsOpen(liveness), () =>
        {
            liveness.Dispose();
            memory.Dispose();
        });
    }
}
