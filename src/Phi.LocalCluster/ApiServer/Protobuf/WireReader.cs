using System.Buffers.Binary;

namespace Phi.LocalCluster.ApiServer.Protobuf;

/// <summary>The fields of one protocol-buffers message, in order (protobuf.dev, "Encoding").</summary>
internal static class WireReader
{
    /// <exception cref="FormatException">The bytes are no message.</exception>
    public static IEnumerable<(int Number, ulong Value, ReadOnlyMemory<byte> Bytes)> Read(ReadOnlyMemory<byte> message)
    {
        var at = 0;
        while (at < message.Length)
        {
            var tag = Varint(message, ref at);
            var number = (int)(tag >> 3);
            switch (tag & 7)
            {
                case 0:
                    yield return (number, Varint(message, ref at), default);
                    break;
                case 1:
                    yield return (number, BinaryPrimitives.ReadUInt64LittleEndian(Take(message, ref at, 8).Span), default);
                    break;
                case 2:
                    var length = checked((int)Varint(message, ref at));
                    yield return (number, 0, Take(message, ref at, length));
                    break;
                case 5:
                    yield return (number, BinaryPrimitives.ReadUInt32LittleEndian(Take(message, ref at, 4).Span), default);
                    break;
                default:
                    throw new FormatException($"wire type {tag & 7} at byte {at} is unknown");
            }
        }
    }

    private static ulong Varint(ReadOnlyMemory<byte> message, ref int at)
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Take(message, ref at, 1).Span[0];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw new FormatException($"the number before byte {at} is too long");
    }

    private static ReadOnlyMemory<byte> Take(ReadOnlyMemory<byte> message, ref int at, int count)
    {
        if (count < 0 || at + count > message.Length)
        {
            throw new FormatException($"the message ends in the middle of a field at byte {at}");
        }

        at += count;
        return message.Slice(at - count, count);
    }
}
