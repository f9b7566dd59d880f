using System.Buffers.Text;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Phi.Api.Metadata;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Agent.Events;

/// <summary>Events of one attempt as a line of a file: CRC-32C of the JSON in eight hexadecimal digits, a space, the JSON, a newline.</summary>
internal sealed record SpoolRecord(int Attempt, IReadOnlyList<RankEvent> Events)
{
    private const int Digits = 8;

    public byte[] ToLine()
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(this, PhiJson.Options);
        return [.. Encoding.ASCII.GetBytes(Checksum(json).ToString("x8", CultureInfo.InvariantCulture)), (byte)' ', .. json, (byte)'\n'];
    }

    /// <param name="line">Without its newline.</param>
    /// <returns>Null: it was not written to its end, or is no longer what was written.</returns>
    public static SpoolRecord? Parse(ReadOnlySpan<byte> line)
    {
        if (line.Length <= Digits + 1 || line[Digits] != ' ' || !Utf8Parser.TryParse(line[..Digits], out uint checksum, out var read, 'x') || read != Digits || checksum != Checksum(line[(Digits + 1)..]))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<SpoolRecord>(line[(Digits + 1)..], PhiJson.Options) is { Events.Count: > 0 } record ? record : null;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            // Another version of the agent wrote it.
            return null;
        }
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var checksum = uint.MaxValue;
        foreach (var value in bytes)
        {
            checksum = BitOperations.Crc32C(checksum, value);
        }

        return ~checksum;
    }
}
