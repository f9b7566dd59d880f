using System.Text;
using System.Text.Json;

namespace Phi.Data.Sources;

/// <summary>Each line is a JSON object; one field of it is a document. Blank lines and empty texts are left out.</summary>
internal static class JsonLineDocuments
{
    /// <exception cref="DataException">A line is no object with a text of that name; the message has its number.</exception>
    public static IEnumerable<SourceDocument> Read(Stream stream, string path, string textField)
    {
        var lines = new LineReader(stream);
        var field = Encoding.UTF8.GetBytes(textField);
        while (Next(lines, path, field, textField) is var (text, facts))
        {
            if (text.Length > 0)
            {
                yield return new SourceDocument(text, path, lines.Number, facts);
            }
        }
    }

    private static (byte[] Text, RecordFacts Facts)? Next(LineReader lines, string path, byte[] field, string textField)
    {
        if (!lines.TryRead(out var line))
        {
            return null;
        }

        if (lines.Number == 1 && line.StartsWith("\uFEFF"u8))
        {
            line = line[3..];
        }

        if (line.Trim(" \t\r"u8).IsEmpty)
        {
            return ([], RecordFacts.Silent);
        }

        try
        {
            return Record(line, field) ?? throw new DataException($"{path} line {lines.Number} has no text in the field '{textField}'. Name the field that holds it (--text-field), or mend the line.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new DataException($"{path} line {lines.Number} is no JSON object: {e.Message} Mend or remove the line.");
        }
    }

    /// <summary>Reads the whole line, so that one broken after the field is noticed.</summary>
    private static (byte[] Text, RecordFacts Facts)? Record(ReadOnlySpan<byte> line, byte[] field)
    {
        byte[]? text = null;
        var facts = RecordFacts.Silent;
        var reader = new Utf8JsonReader(line);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("it does not begin with '{'.");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals(field))
            {
                reader.Read();
                text = reader.TokenType == JsonTokenType.String ? Copy(ref reader) : text;
            }
            else
            {
                facts = JsonRecordFacts.Read(ref reader, facts);
            }

            reader.Skip();
        }

        while (reader.Read())
        {
        }

        return text is null ? null : (text, facts);
    }

    private static byte[] Copy(ref Utf8JsonReader reader)
    {
        var text = new byte[reader.ValueSpan.Length];
        Array.Resize(ref text, reader.CopyString(text));
        return text;
    }
}
