using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Phi.Kubernetes;

/// <summary>The lines of a watch: one JSON object with a type and an object each.</summary>
internal static class WatchStream
{
    /// <param name="kind">For errors.</param>
    /// <exception cref="IOException">A line is no change, or the stream ends within one.</exception>
    public static async IAsyncEnumerable<WatchEvent> ReadAsync(Stream stream, string kind, [EnumeratorCancellation] CancellationToken ct)
    {
        var reader = PipeReader.Create(stream);
        try
        {
            for (var isEnd = false; !isEnd;)
            {
                var read = await reader.ReadAsync(ct);
                var rest = read.Buffer;
                isEnd = read.IsCompleted;
                while (Line(ref rest, isEnd) is { } line)
                {
                    yield return Parse(line, kind);
                }

                reader.AdvanceTo(rest.Start, rest.End);
            }
        }
        finally
        {
            await reader.CompleteAsync();
        }
    }

    /// <summary>The next line, without its end, cut off from the rest; null if there is none, or not all of it yet.</summary>
    private static byte[]? Line(ref ReadOnlySequence<byte> rest, bool isEnd)
    {
        if (rest.PositionOf((byte)'\n') is { } end)
        {
            var line = rest.Slice(0, end).ToArray();
            rest = rest.Slice(rest.GetPosition(1, end));
            return line;
        }

        if (!isEnd || rest.IsEmpty)
        {
            return null;
        }

        var last = rest.ToArray();
        rest = rest.Slice(rest.End);
        return last;
    }

    private static WatchEvent Parse(byte[] line, string kind)
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            var (type, from, to) = (default(string), 0, 0);
            if (ResourceHead.Enter(ref reader))
            {
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    var (isType, isObject) = (reader.ValueTextEquals("type"u8), reader.ValueTextEquals("object"u8));
                    reader.Read();
                    type = isType ? reader.GetString() : type;
                    from = isObject && reader.TokenType == JsonTokenType.StartObject ? (int)reader.TokenStartIndex : from;
                    reader.Skip();
                    to = isObject ? (int)reader.BytesConsumed : to;
                }
            }

            var value = line[from..to];
            return type switch
            {
                _ when type is null || from == 0 => throw new IOException($"the watch of {kind} sent a line that is no change: {Encoding.UTF8.GetString(line)}"),
                "ERROR" => throw KubernetesConnection.Refusal((HttpStatusCode)((int?)JsonNode.Parse(value)!["code"] ?? 500), Encoding.UTF8.GetString(value)),
                _ => new WatchEvent(type, value),
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new IOException($"the watch of {kind} broke off within a line of {line.Length} characters", e);
        }
    }
}
