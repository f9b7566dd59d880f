using System.Buffers.Binary;
using System.Text.Json;

namespace Phi.Checkpoints.Format;

/// <summary>One tensor of a file. Offsets in bytes from the start of the data.</summary>
public sealed record SafetensorsEntry(string Name, string Type, IReadOnlyList<long> Shape, long Start, long End);

/// <summary>
/// What a safetensors file begins with (github.com/huggingface/safetensors): an 8-byte little-endian length, and a JSON object padded
/// with spaces to 8 bytes. The tensors' data follows, without holes.
/// </summary>
public sealed class SafetensorsHeader
{
    /// <summary>Of the header's length.</summary>
    internal const int PrefixBytes = sizeof(long);

    private const long LargestHeader = 100_000_000;
    private const string Metadata = "__metadata__";

    private SafetensorsHeader(long dataStart, IReadOnlyDictionary<string, SafetensorsEntry> tensors) => (DataStart, Tensors) = (dataStart, tensors);

    /// <summary>Where the data begins, in bytes from the file's start.</summary>
    public long DataStart { get; }

    public IReadOnlyDictionary<string, SafetensorsEntry> Tensors { get; }

    /// <param name="read">Fills the memory with consecutive bytes of the file, counted from its start.</param>
    /// <exception cref="CheckpointException">This is no safetensors file, or not a whole one.</exception>
    public static SafetensorsHeader Read(TensorPart read, long fileBytes, string file)
    {
        try
        {
            var prefix = new byte[PrefixBytes];
            read(0, prefix);
            var json = new byte[EndOf(prefix, file) - PrefixBytes];
            read(PrefixBytes, json);
            return Parse(json, fileBytes, file);
        }
        catch (EndOfStreamException e)
        {
            throw new CheckpointException($"{file} is cut off or damaged: {e.Message}", e);
        }
    }

    /// <summary>Where the header ends and the data begins, in bytes from the file's start.</summary>
    /// <param name="prefix">The file's first <see cref="PrefixBytes"/> bytes.</param>
    /// <exception cref="CheckpointException">No header has that length.</exception>
    internal static int EndOf(ReadOnlySpan<byte> prefix, string file)
    {
        var length = BinaryPrimitives.ReadInt64LittleEndian(prefix);
        return length is >= 2 and <= LargestHeader ? PrefixBytes + (int)length : throw new CheckpointException($"{file} is no safetensors file: its header would have {length} bytes");
    }

    /// <param name="json">What lies between the prefix and the data.</param>
    /// <param name="fileBytes">Length of the whole file.</param>
    /// <exception cref="CheckpointException">It describes another file.</exception>
    internal static SafetensorsHeader Parse(ReadOnlyMemory<byte> json, long fileBytes, string file)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var tensors = document.RootElement.EnumerateObject().Where(property => property.Name != Metadata).Select(Entry).ToList();
            CheckOffsets(tensors, fileBytes - PrefixBytes - json.Length, file);
            return new SafetensorsHeader(PrefixBytes + json.Length, tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new CheckpointException($"{file} is cut off or damaged: {e.Message}", e);
        }
    }

    /// <summary>Length, object and padding of the tensors' header, their data laid out in order.</summary>
    public static byte[] Write(IReadOnlyList<StreamedTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using var memory = new MemoryStream();
        memory.Write(new byte[sizeof(long)]);
        using (var json = new Utf8JsonWriter(memory))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WritePropertyName(Metadata);
                JsonSerializer.Serialize(json, metadata);
            }

            var offset = 0L;
            foreach (var tensor in tensors)
            {
                json.WritePropertyName(tensor.Name);
                JsonSerializer.Serialize(json, new { dtype = tensor.Type.ToString(), shape = tensor.Shape, data_offsets = new[] { offset, offset += tensor.Bytes } });
            }

            json.WriteEndObject();
        }

        while (memory.Length % 8 != 0)
        {
            memory.WriteByte((byte)' ');
        }

        var bytes = memory.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(bytes, bytes.Length - sizeof(long));
        return bytes;
    }

    private static SafetensorsEntry Entry(JsonProperty property)
    {
        if (property.Value.GetProperty("data_offsets").EnumerateArray().ToList() is not [var start, var end])
        {
            throw new FormatException($"the data_offsets of {property.Name} are not two numbers");
        }

        var shape = property.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()).ToList();
        return new SafetensorsEntry(property.Name, property.Value.GetProperty("dtype").GetString()!, shape, start.GetInt64(), end.GetInt64());
    }

    private static void CheckOffsets(IEnumerable<SafetensorsEntry> tensors, long dataBytes, string file)
    {
        var at = 0L;
        foreach (var tensor in tensors.OrderBy(tensor => tensor.Start).ThenBy(tensor => tensor.End))
        {
            if (tensor.Start != at || tensor.End < at)
            {
                throw new CheckpointException($"{file} is damaged: {tensor.Name} has the offsets {tensor.Start} to {tensor.End}, and the data before it ends at {at}");
            }

            if (WeightTypes.TryParse(tensor.Type, out var type) && ByteCount(tensor.Shape, type) != tensor.End - tensor.Start)
            {
                throw new CheckpointException($"{file} is damaged: {tensor.Name} has {tensor.End - tensor.Start} bytes, and its shape [{string.Join(", ", tensor.Shape)}] of {tensor.Type} another number");
            }

            at = tensor.End;
        }

        if (at != dataBytes)
        {
            throw new CheckpointException($"{file} is cut off or damaged: it holds {dataBytes} bytes of data; its header says {at}");
        }
    }

    private static Int128 ByteCount(IReadOnlyList<long> shape, WeightType type) =>
        shape.Any(size => size < 0) || shape.Sum(size => Math.Log2(Math.Max(1, size))) > 62 ? -1 : shape.Aggregate((Int128)type.Size(), (product, size) => product * size);
}
