using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text.Json;

namespace Phi.Collectives.Nccl.Control;

/// <summary>Messages on a socket without blocking: a 4-byte little-endian length, then JSON.</summary>
internal sealed class ControlLink : IDisposable
{
    private const int LargestMessage = 1 << 20;
    private const int MostReadsAtTheEnd = 64;
    private readonly Socket _socket;
    private byte[] _received = new byte[4096];
    private int _receivedBytes;
    private byte[] _unsent = [];
    private bool _canSend = true;

    public ControlLink(Socket socket)
    {
        _socket = socket;
        socket.Blocking = false;
        socket.NoDelay = true;
    }

    /// <summary>False once the far end has closed, or the socket broke. What it sent before may still be received.</summary>
    public bool IsOpen { get; private set; } = true;

    public void Send(ControlMessage message)
    {
        if (!_canSend)
        {
            return;
        }

        var json = JsonSerializer.SerializeToUtf8Bytes(message);
        var frame = new byte[_unsent.Length + 4 + json.Length];
        _unsent.CopyTo(frame, 0);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(_unsent.Length), json.Length);
        json.CopyTo(frame, _unsent.Length + 4);
        _unsent = frame;
        Flush();
    }

    /// <summary>Sends what the socket takes.</summary>
    public void Flush()
    {
        while (_canSend && _unsent.Length > 0)
        {
            var sent = _socket.Send(_unsent, SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
            {
                // A far end that takes nothing for this long reads no more.
                _canSend = _unsent.Length <= LargestMessage;
                return;
            }

            _canSend = error == SocketError.Success;
            _unsent = _unsent[sent..];
        }
    }

    /// <summary>The next message, or null when none is there.</summary>
    public ControlMessage? Receive()
    {
        while (true)
        {
            if (Parse() is { } message)
            {
                return message;
            }

            if (!IsOpen)
            {
                return null;
            }

            if (_receivedBytes == _received.Length)
            {
                Array.Resize(ref _received, _received.Length * 2);
            }

            var received = _socket.Receive(_received.AsSpan(_receivedBytes), SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
            {
                return null;
            }

            IsOpen = error == SocketError.Success && received > 0;
            _receivedBytes += Math.Max(0, received);
        }
    }

    /// <summary>Says that nothing more comes, and hears the far end out: a socket closed with unread bytes could take back what was sent.</summary>
    public void Close(TimeSpan patience)
    {
        Flush();
        if (IsOpen)
        {
            try
            {
                _socket.Shutdown(SocketShutdown.Send);
                for (var reads = 0; reads < MostReadsAtTheEnd && _socket.Poll(patience, SelectMode.SelectRead) && _socket.Receive(_received, SocketFlags.None, out _) > 0; reads++)
                {
                }
            }
            catch (SocketException)
            {
                // The far end is gone already.
            }
        }

        Dispose();
    }

    public void Dispose()
    {
        IsOpen = _canSend = false;
        _socket.Dispose();
    }

    private ControlMessage? Parse()
    {
        if (_receivedBytes < 4)
        {
            return null;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(_received);
        if (length is < 0 or > LargestMessage)
        {
            // No peer of this version sent that: the stream cannot be followed any more.
            Dispose();
            return null;
        }

        if (_receivedBytes < 4 + length)
        {
            return null;
        }

        var message = JsonSerializer.Deserialize<ControlMessage>(_received.AsSpan(4, length));
        _receivedBytes -= 4 + length;
        Buffer.BlockCopy(_received, 4 + length, _received, 0, _receivedBytes);
        return message;
    }
}
