using System.Text.Json;
using System.Text.Json.Serialization;

namespace Phi.Api.Metadata;

/// <summary>
/// Reads a text that came lately as the same object: of thousands of resources in memory most texts are the same few (namespaces, queues,
/// types, reasons). Safe for several threads: at worst a text is read anew.
/// </summary>
internal sealed class SharedStringConverter : JsonConverter<string>
{
    private const int Slots = 4096;

    /// <summary>In UTF-8; longer ones are seldom the same.</summary>
    private const int LongestShared = 256;
    private readonly string?[] _recent = new string?[Slots];

    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Share(ref reader);

    public override string ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Share(ref reader)!;

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);

    public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WritePropertyName(value);

    private string? Share(ref Utf8JsonReader reader)
    {
        if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName) || reader.HasValueSequence || reader.ValueIsEscaped || reader.ValueSpan.Length is 0 or > LongestShared)
        {
            return reader.GetString();
        }

        var hash = new HashCode();
        hash.AddBytes(reader.ValueSpan);
        ref var recent = ref _recent[(uint)hash.ToHashCode() % Slots];
        var known = recent;
        return known is not null && reader.ValueTextEquals(known) ? known : recent = reader.GetString();
    }
}
