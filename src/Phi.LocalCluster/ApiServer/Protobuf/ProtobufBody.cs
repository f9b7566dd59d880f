using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Phi.LocalCluster.ApiServer.Protobuf;

/// <summary>A request body in Kubernetes' protobuf form: the bytes "k8s\0", then a runtime.Unknown that names the kind and holds the object.</summary>
internal static class ProtobufBody
{
    private static ReadOnlySpan<byte> Magic => "k8s\0"u8;

    /// <exception cref="ApiException">The body is not of this form, or its kind is not among those read here.</exception>
    public static JsonObject Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            if (!body.Span.StartsWith(Magic))
            {
                throw new FormatException("it does not start with k8s\\0");
            }

            var (apiVersion, kind, raw) = Envelope(body[Magic.Length..]);
            if (ProtobufMessages.Find(kind) is null)
            {
                throw new ApiException(415, "UnsupportedMediaType", $"a {kind} is not read as protobuf here - accepted media types include: application/json, application/yaml");
            }

            var value = Message(raw, kind);
            value["apiVersion"] = apiVersion;
            value["kind"] = kind;
            return JsonNode.Parse(value.ToJsonString())!.AsObject();
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            throw ApiException.BadRequest($"the protobuf body cannot be read: {e.Message}");
        }
    }

    private static (string ApiVersion, string Kind, ReadOnlyMemory<byte> Raw) Envelope(ReadOnlyMemory<byte> message)
    {
        var (apiVersion, kind, raw) = ("", "", ReadOnlyMemory<byte>.Empty);
        foreach (var (number, _, bytes) in WireReader.Read(message))
        {
            if (number == 1)
            {
                foreach (var (part, _, text) in WireReader.Read(bytes))
                {
                    (apiVersion, kind) = part == 1 ? (Encoding.UTF8.GetString(text.Span), kind) : (apiVersion, Encoding.UTF8.GetString(text.Span));
                }
            }
            else if (number == 2)
            {
                raw = bytes;
            }
        }

        return (apiVersion, kind, raw);
    }

    private static JsonObject Message(ReadOnlyMemory<byte> message, string type)
    {
        var fields = ProtobufMessages.Find(type)!;
        var result = new JsonObject();
        foreach (var (number, value, bytes) in WireReader.Read(message))
        {
            if (!fields.TryGetValue(number, out var field))
            {
                continue;
            }

            if (field.Type.EndsWith("[]", StringComparison.Ordinal))
            {
                (result[field.Name] as JsonArray ?? (JsonArray)(result[field.Name] = new JsonArray())).Add(Value(field.Type[..^2], value, bytes));
            }
            else if (field.Type.EndsWith("{}", StringComparison.Ordinal))
            {
                var (key, entry) = Entry(field.Type[..^2], bytes);
                (result[field.Name] as JsonObject ?? (JsonObject)(result[field.Name] = new JsonObject()))[key] = entry;
            }
            else if (Value(field.Type, value, bytes) is { } single && !IsEmpty(single))
            {
                result[field.Name] = single;
            }
        }

        return result;
    }

    private static (string Key, JsonNode? Value) Entry(string type, ReadOnlyMemory<byte> bytes)
    {
        var (key, result) = ("", type == "s" || type == "b" ? (JsonNode?)"" : null);
        foreach (var (number, value, part) in WireReader.Read(bytes))
        {
            if (number == 1)
            {
                key = Encoding.UTF8.GetString(part.Span);
            }
            else
            {
                result = Value(type, value, part);
            }
        }

        return (key, result);
    }

    private static JsonNode? Value(string type, ulong value, ReadOnlyMemory<byte> bytes) => type switch
    {
        "s" => Encoding.UTF8.GetString(bytes.Span),
        "b" => Convert.ToBase64String(bytes.Span),
        "i" => (long)value,
        "f" => value != 0,
        "Time" => Time(bytes),
        "IntOrString" => IntOrString(bytes),
        "IntOrString?" => IntOrString(bytes) ?? 0,
        _ => Message(bytes, type),
    };

    private static JsonNode? Time(ReadOnlyMemory<byte> bytes)
    {
        foreach (var (number, value, _) in WireReader.Read(bytes))
        {
            if (number == 1 && (long)value > 0)
            {
                return DateTimeOffset.FromUnixTimeSeconds((long)value).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            }
        }

        return null;
    }

    private static JsonNode? IntOrString(ReadOnlyMemory<byte> bytes)
    {
        var fields = WireReader.Read(bytes).ToDictionary(field => field.Number);
        return fields.TryGetValue(1, out var kind) && kind.Value == 1
            ? Encoding.UTF8.GetString(fields[3].Bytes.Span)
            : fields.TryGetValue(2, out var number) && number.Value != 0 ? (long)number.Value : null;
    }

    /// <summary>Go writes every field that is no pointer, so an empty text means that there is none.</summary>
    private static bool IsEmpty(JsonNode value) => value is JsonObject { Count: 0 } || (value is JsonValue scalar && scalar.TryGetValue(out string? text) && text.Length == 0);
}
