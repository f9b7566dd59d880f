using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Phi.Collectives.Nccl.Control;

/// <summary>Connects every rank to rank 0, whose address goes over the host's group with a secret that keeps strangers out.</summary>
internal static class ControlMeeting
{
    private static readonly TimeSpan HelloTime = TimeSpan.FromSeconds(5);
    private const int SecretBytes = 16;
    private const int HelloBytes = SecretBytes + sizeof(int);
    private const int InvitationBytes = 128;

    /// <exception cref="RendezvousException">A rank did not connect within the deadline.</exception>
    public static async Task<IControl> MeetAsync(ICommunicator host, NcclOptions options, CancellationToken cancellationToken)
    {
        using var listener = new Socket(options.BindAddress.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        var invitation = new byte[InvitationBytes];
        if (host.Rank == 0)
        {
            listener.Bind(new IPEndPoint(options.BindAddress, 0));
            listener.Listen(host.WorldSize);
            RandomNumberGenerator.Fill(invitation.AsSpan(0, SecretBytes));
            Encoding.UTF8.GetBytes(listener.LocalEndPoint!.ToString()!).CopyTo(invitation, SecretBytes);
        }

        HostMessages.Broadcast(host, invitation);
        using var deadline = new CancellationTokenSource(options.Collectives.Deadline, options.Collectives.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var links = new ControlLink?[host.WorldSize];
        try
        {
            return host.Rank == 0
                ? await AcceptAsync(listener, invitation, links, options, either.Token)
                : await ConnectAsync(host, invitation, options, either.Token);
        }
        catch (Exception e)
        {
            foreach (var link in links)
            {
                link?.Dispose();
            }

            cancellationToken.ThrowIfCancellationRequested();
            var missing = host.Rank == 0 ? Enumerable.Range(1, host.WorldSize - 1).Where(rank => links[rank] is null) : [0];
            if (e is OperationCanceledException or SocketException)
            {
                throw new RendezvousException($"rank {string.Join(", ", missing)} did not come to the control channel within {options.Collectives.Deadline.TotalSeconds:0.#} s: {e.Message}", e);
            }

            throw;
        }
    }

    private static async Task<IControl> AcceptAsync(Socket listener, byte[] invitation, ControlLink?[] links, NcclOptions options, CancellationToken cancellationToken)
    {
        for (var missing = links.Length - 1; missing > 0;)
        {
            var guest = await listener.AcceptAsync(cancellationToken);
            var rank = await AdmitAsync(guest, invitation, cancellationToken);
            if (rank <= 0 || rank >= links.Length || links[rank] is not null)
            {
                guest.Dispose();
                continue;
            }

            links[rank] = new ControlLink(guest);
            missing--;
        }

        return new ControlHub(links, options.Collectives);
    }

    /// <summary>-1 for a stranger; one that connects and says nothing, or leaves, holds up nobody for long.</summary>
    private static async Task<int> AdmitAsync(Socket guest, byte[] invitation, CancellationToken cancellationToken)
    {
        using var brief = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        brief.CancelAfter(HelloTime);
        try
        {
            return await ReceiveRankAsync(guest, invitation, brief.Token);
        }
        catch (Exception e) when (e is SocketException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return -1;
        }
        catch
        {
            guest.Dispose();
            throw;
        }
    }

    /// <summary>-1 for a stranger.</summary>
    private static async Task<int> ReceiveRankAsync(Socket guest, byte[] invitation, CancellationToken cancellationToken)
    {
        var hello = new byte[HelloBytes];
        for (var have = 0; have < HelloBytes;)
        {
            var received = await guest.ReceiveAsync(hello.AsMemory(have), cancellationToken);
            if (received == 0)
            {
                return -1;
            }

            have += received;
        }

        return CryptographicOperations.FixedTimeEquals(hello.AsSpan(0, SecretBytes), invitation.AsSpan(0, SecretBytes)) ? BinaryPrimitives.ReadInt32LittleEndian(hello.AsSpan(SecretBytes)) : -1;
    }

    private static async Task<IControl> ConnectAsync(ICommunicator host, byte[] invitation, NcclOptions options, CancellationToken cancellationToken)
    {
        var address = IPEndPoint.Parse(Encoding.UTF8.GetString(invitation.AsSpan(SecretBytes)).TrimEnd('\0'));
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(address, cancellationToken);
            var hello = new byte[HelloBytes];
            invitation.AsSpan(0, SecretBytes).CopyTo(hello);
            BinaryPrimitives.WriteInt32LittleEndian(hello.AsSpan(SecretBytes), host.Rank);
            await socket.SendAsync(hello, cancellationToken);
            return new ControlSpoke(host.Rank, host.WorldSize, new ControlLink(socket), options.Collectives);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            socket.Dispose();
            throw;
        }
    }
}
