using System.Text;
using System.Text.Json;

namespace Phi.Data.Quality.Classifier;

/// <summary>A line of a file of labels. Only the text is required; other tools' ways of writing a label are understood.</summary>
internal static class LabelLine
{
    private const string Rule = "a label is good, bad or skip (also true and false, 1 and 0), or null for none yet";

    /// <exception cref="DataException">The line is none.</exception>
    public static LabelledDocument Parse(ReadOnlySpan<byte> line, string path, long number)
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            using var json = JsonDocument.ParseValue(ref reader);
            if (reader.Read())
            {
                throw new JsonException("something follows the object.");
            }

            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                throw new JsonException("it is no object.");
            }

            if (!root.TryGetProperty("text", out var text) || text.ValueKind != JsonValueKind.String || text.GetString() is not { Length: > 0 } given)
            {
                throw new DataException($"{path} line {number} has no text in the field 'text'. Write the labelled text there, as phi data label --sample does.");
            }

            // A line that another program cut or lengthened is the text that it has now.
            var excerpt = Encoding.UTF8.GetString(Excerpt.Of(Encoding.UTF8.GetBytes(given)));
            var name = root.TryGetProperty("name", out var named) && named.ValueKind == JsonValueKind.String ? named.GetString()! : $"{path}:{number}";
            return new LabelledDocument(LabelledDocument.IdOf(excerpt), name, LabelOf(root, path, number), excerpt);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new DataException($"{path} line {number} is no JSON object: {e.Message} Mend or remove the line.");
        }
    }

    private static string? LabelOf(JsonElement root, string path, long number)
    {
        if (!root.TryGetProperty("label", out var label))
        {
            return null;
        }

        return label.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.True => LabelledDocument.Good,
            JsonValueKind.False => LabelledDocument.Bad,
            JsonValueKind.Number when label.TryGetInt32(out var bit) && bit is 0 or 1 => bit == 1 ? LabelledDocument.Good : LabelledDocument.Bad,
            JsonValueKind.String when label.GetString()!.Trim() is "" => null,
            JsonValueKind.String when label.GetString()!.Trim().ToLowerInvariant() is LabelledDocument.Good or LabelledDocument.Bad or LabelledDocument.Skip => label.GetString()!.Trim().ToLowerInvariant(),
            _ => throw new DataException($"{path} line {number} has the label {Shown(label)}; {Rule}. Change it."),
        };
    }

    private static string Shown(JsonElement label) => label.GetRawText() is { Length: > 40 } text ? text[..40] + "…" : label.GetRawText();
}
