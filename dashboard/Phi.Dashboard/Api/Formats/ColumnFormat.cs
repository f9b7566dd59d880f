using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Phi.Telemetry.Series;

namespace Phi.Dashboard.Api.Formats;

/// <summary>
/// Columns as they lie in memory, which a browser views without parsing: the length of a header as a little-endian uint32, the header as
/// JSON, filled up with spaces so that what follows begins at a multiple of 8, then float64 columns, little-endian, one after the other.
/// The header is as in <see cref="JsonFormat"/>, with <c>columns</c>, their names, once, and for each part its <c>length</c> in values and
/// its <c>offset</c> in values from the end of the header.
/// </summary>
internal sealed class ColumnFormat : ISeriesFormat
{
    public const string ContentType = "application/vnd.phi-orchestrator.series";

    public string Name => "columns";

    string ISeriesFormat.ContentType => ContentType;

    public byte[] Write(SeriesAxis axis, IReadOnlyList<SeriesData> series)
    {
        var parts = new List<SeriesColumns>();
        var header = Header(axis, series, parts);
        var start = (sizeof(uint) + header.Length + 7) / 8 * 8;
        var content = new byte[start + parts.Sum(part => part.Step.Length) * SeriesFormats.Columns.Count * sizeof(double)];
        BinaryPrimitives.WriteUInt32LittleEndian(content, (uint)(start - sizeof(uint)));
        content.AsSpan(sizeof(uint), start - sizeof(uint)).Fill((byte)' ');
        header.CopyTo(content.AsSpan(sizeof(uint)));
        var values = MemoryMarshal.Cast<byte, double>(content.AsSpan(start));
        foreach (var column in parts.SelectMany(part => SeriesFormats.Columns.Select(column => column.Values(part))))
        {
            column.CopyTo(values);
            values = values[column.Length..];
        }

        return content;
    }

    private static byte[] Header(SeriesAxis axis, IReadOnlyList<SeriesData> series, List<SeriesColumns> parts)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            var offset = 0;
            json.WriteStartObject();
            json.WriteString("axis", AxisNames.Of(axis));
            json.WriteStartArray("columns");
            foreach (var (name, _) in SeriesFormats.Columns)
            {
                json.WriteStringValue(name);
            }

            json.WriteEndArray();
            json.WriteStartArray("series");
            foreach (var data in series)
            {
                json.WriteStartObject();
                SeriesHeader.Write(json, data);
                Place(json, data.Columns, parts, ref offset);
                json.WriteStartArray("lost");
                foreach (var lost in data.Lost)
                {
                    json.WriteStartObject();
                    json.WriteNumber("attempt", lost.Attempt);
                    Place(json, lost.Columns, parts, ref offset);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void Place(Utf8JsonWriter json, SeriesColumns columns, List<SeriesColumns> parts, ref int offset)
    {
        json.WriteNumber("length", columns.Step.Length);
        json.WriteNumber("offset", offset);
        parts.Add(columns);
        offset += columns.Step.Length * SeriesFormats.Columns.Count;
    }
}
