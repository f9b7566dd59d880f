using System.Net.Sockets;

namespace Phi.Collectives.Channels;

/// <summary>A connected TCP socket, non-blocking.</summary>
internal sealed unsafe class SocketChannel : PeerChannel
{
    private const int LargestPiece = 1 << 20;
    private readonly Socket _socket;
    private bool _alive = true;

    public SocketChannel(Socket socket)
    {
        _socket = socket;
        socket.Blocking = false;
        socket.NoDelay = true;
    }

    public override WireScope Scope => WireScope.Inter;

    public override long TrySend(byte* from, long length)
    {
        var sent = _socket.Send(new ReadOnlySpan<byte>(from, (int)Math.Min(length, LargestPiece)), SocketFlags.None, out var error);
        return Moved(sent, error);
    }

    public override long TryReceive(byte* to, long length)
    {
        var received = _socket.Receive(new Span<byte>(to, (int)Math.Min(length, LargestPiece)), SocketFlags.None, out var error);
        if (received == 0 && error == SocketError.Success)
        {
            _alive = false;
        }

        return Moved(received, error);
    }

    public override bool IsPeerAlive() => _alive;

    public override void Dispose() => _socket.Dispose();

    /// <summary>Whether the far end of a socket on which nothing is ever sent has closed it.</summary>
    public static bool IsOpen(Socket socket)
    {
        Span<byte> one = stackalloc byte[1];
        var received = socket.Receive(one, SocketFlags.Peek, out var error);
        return received > 0 || error == SocketError.WouldBlock;
    }

    private int Moved(int bytes, SocketError error)
    {
        switch (error)
        {
            case SocketError.Success:
                return bytes;
            case SocketError.WouldBlock:
                return 0;
            default:
                _alive = false;
                return 0;
        }
    }
}
