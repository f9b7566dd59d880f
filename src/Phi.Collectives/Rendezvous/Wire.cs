using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text.Json;

namespace Phi.Collectives.Rendezvous;

/// <summary>Messages on a stream: a 4-byte little-endian length, then JSON.</summary>
internal static class Wire
{
    private const int LargestMessage = 1 << 24;

    public static async Task SendAsync<T>(Socket socket, T message, CancellationToken cancellationToken)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(message);
        var frame = new byte[4 + json.Length];
        BinaryPrimitives.WriteInt32LittleEndian(frame, json.Length);
        json.CopyTo(frame, 4);
        for (var sent = 0; sent < frame.Length;)
        {
            sent += await socket.SendAsync(frame.AsMemory(sent), cancellationToken);
        }
    }

    /// <exception cref="IOException">The far end closed, or sent what is no message.</exception>
    public static async Task<T> ReceiveAsync<T>(Socket socket, CancellationToken cancellationToken)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(await ReceiveBytesAsync(socket, 4, cancellationToken));
        if (length is < 0 or > LargestMessage)
        {
            throw new IOException($"a message of {length} bytes is not a rendezvous message");
        }

        try
        {
            return JsonSerializer.Deserialize<T>(await ReceiveBytesAsync(socket, length, cancellationToken)) ?? throw new IOException("an empty message");
        }
        catch (JsonException e)
        {
            throw new IOException("not a rendezvous message", e);
        }
    }

    private static async Task<byte[]> ReceiveBytesAsync(Socket socket, int length, CancellationToken cancellationToken)
    {
        var bytes = new byte[length];
        for (var have = 0; have < length;)
        {
            var received = await socket.ReceiveAsync(bytes.AsMemory(have), cancellationToken);
            have += received > 0 ? received : throw new IOException("the connection was closed");
        }

        return bytes;
    }
}
