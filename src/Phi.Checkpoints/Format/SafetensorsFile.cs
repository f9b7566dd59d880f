using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;

namespace Phi.Checkpoints.Format;

/// <summary>
/// Flat fp32 tensors in the safetensors format (github.com/huggingface/safetensors): an 8-byte little-endian header length, a JSON
/// header padded with spaces to 8 bytes, then the values.
/// </summary>
public static class SafetensorsFile
{
    private const int LargestPiece = 1 << 20;
    private const long LargestHeader = 100_000_000;

    /// <summary>Writes the tensors in order; returns size and digest of the file.</summary>
    public static unsafe (long Bytes, string Sha256) Write(Stream to, IReadOnlyList<ShardTensor> tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var written = 0L;
        var header = Header(tensors);
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        Put(length);
        Put(header);
        foreach (var tensor in tensors)
        {
            var bytes = tensor.Length * sizeof(float);
            for (var at = 0L; at < bytes; at += LargestPiece)
            {
                Put(new ReadOnlySpan<byte>((byte*)tensor.Values + at, (int)Math.Min(LargestPiece, bytes - at)));
            }
        }

        return (written, Convert.ToHexStringLower(hash.GetHashAndReset()));

        void Put(ReadOnlySpan<byte> piece)
        {
            to.Write(piece);
            hash.AppendData(piece);
            written += piece.Length;
        }
    }

    /// <summary>Reads every tensor into the memory of the same name and length.</summary>
    /// <exception cref="CheckpointException">A tensor is missing, has another length, or the file is cut off.</exception>
    public static unsafe void Read(Stream from, string file, IReadOnlyList<ShardTensor> into)
    {
        try
        {
            var length = new byte[8];
            from.ReadExactly(length);
            var headerLength = BinaryPrimitives.ReadInt64LittleEndian(length);
            if (headerLength is < 2 or > LargestHeader)
            {
                throw new CheckpointException($"{file} is no safetensors file: its header would have {headerLength} bytes");
            }

            var header = new byte[headerLength];
            from.ReadExactly(header);
            using var entries = JsonDocument.Parse(header);
            foreach (var tensor in into)
            {
                var (start, end) = Offsets(entries, tensor, file);
                from.Position = 8 + headerLength + start;
                for (var at = 0L; at < end - start; at += LargestPiece)
                {
                    from.ReadExactly(new Span<byte>((byte*)tensor.Values + at, (int)Math.Min(LargestPiece, end - start - at)));
                }
            }
        }
        catch (Exception e) when (e is EndOfStreamException or JsonException)
        {
            throw new CheckpointException($"{file} is cut off or damaged: {e.Message}", e);
        }
    }

    private static (long Start, long End) Offsets(JsonDocument entries, ShardTensor tensor, string file)
    {
        if (!entries.RootElement.TryGetProperty(tensor.Name, out var entry))
        {
            throw new CheckpointException($"{file} lacks the tensor {tensor.Name}");
        }

        var type = entry.GetProperty("dtype").GetString();
        var offsets = entry.GetProperty("data_offsets");
        var (start, end) = (offsets[0].GetInt64(), offsets[1].GetInt64());
        return type == "F32" && end - start == tensor.Length * sizeof(float) && start >= 0
            ? (start, end)
            : throw new CheckpointException($"{file}: {tensor.Name} has {end - start} bytes of {type}; {tensor.Length * sizeof(float)} bytes of F32 were expected");
    }

    private static byte[] Header(IReadOnlyList<ShardTensor> tensors)
    {
        using var memory = new MemoryStream();
        using (var json = new Utf8JsonWriter(memory))
        {
            var offset = 0L;
            json.WriteStartObject();
            foreach (var tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", "F32");
                json.WriteStartArray("shape");
                json.WriteNumberValue(tensor.Length);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.Length * sizeof(float));
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (memory.Length % 8 != 0)
        {
            memory.WriteByte((byte)' ');
        }

        return memory.ToArray();
    }
}
