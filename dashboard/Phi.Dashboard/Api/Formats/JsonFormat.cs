using System.Buffers;
using System.Text.Json;
using Phi.Telemetry.Series;

namespace Phi.Dashboard.Api.Formats;

/// <summary><c>{axis, series: [{run, metric, rank, bucketSteps, firstStep, lastStep, attempts, columns: {x: […], …}, lost: [{attempt, columns}]}]}</c>; what is not known is null.</summary>
internal sealed class JsonFormat : ISeriesFormat
{
    public string Name => "json";

    public const string ContentType = "application/json";

    string ISeriesFormat.ContentType => ContentType;

    public byte[] Write(SeriesAxis axis, IReadOnlyList<SeriesData> series)
    {
        var buffer = new ArrayBufferWriter<byte>(1 << 16);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("axis", AxisNames.Of(axis));
            json.WriteStartArray("series");
            foreach (var data in series)
            {
                json.WriteStartObject();
                SeriesHeader.Write(json, data);
                Write(json, data.Columns);
                json.WriteStartArray("lost");
                foreach (var lost in data.Lost)
                {
                    json.WriteStartObject();
                    json.WriteNumber("attempt", lost.Attempt);
                    Write(json, lost.Columns);
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

    private static void Write(Utf8JsonWriter json, SeriesColumns columns)
    {
        json.WriteStartObject("columns");
        foreach (var (name, values) in SeriesFormats.Columns)
        {
            json.WriteStartArray(name);
            foreach (var value in values(columns))
            {
                if (double.IsFinite(value))
                {
                    json.WriteNumberValue(value);
                }
                else
                {
                    json.WriteNullValue();
                }
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }
}
