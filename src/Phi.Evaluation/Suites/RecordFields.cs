using System.Globalization;
using System.Text.Json;

namespace Phi.Evaluation.Suites;

/// <summary>Reads fields of one JSON record; what is missing or of another type is an error that names place and field.</summary>
internal sealed class RecordFields
{
    /// <summary>Characters of one text. The longest of the published suites has some ten thousand.</summary>
    private const int LongestText = 1 << 20;
    private readonly JsonElement _record;
    private readonly string _shape;

    /// <param name="place">Such as <c>FILE line 3</c>.</param>
    /// <param name="shape">The remedy: what a record must be.</param>
    public RecordFields(JsonElement record, string place, string shape)
    {
        (_record, Place, _shape) = (record, place, shape);
        if (record.ValueKind != JsonValueKind.Object)
        {
            throw new EvaluationException($"{place} is no JSON object. {shape}");
        }
    }

    public string Place { get; }

    public static JsonDocument Parse(ReadOnlyMemory<byte> json, string place, string shape)
    {
        try
        {
            return JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16 });
        }
        catch (JsonException e)
        {
            throw new EvaluationException($"{place} is no JSON: {e.Message} {shape}");
        }
    }

    public bool Has(string name) => _record.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;

    public string Text(string name) => TextOf(Value(name), $"field {name}");

    /// <summary>The first of the names that is there.</summary>
    public string Text(string name, string other) => Text(Has(name) ? name : Has(other) ? other : name);

    public string TextOr(string name, string absent) => Has(name) ? Text(name) : absent;

    public IReadOnlyList<string> Texts(string name)
    {
        var value = Value(name);
        if (value.ValueKind != JsonValueKind.Array)
        {
            throw Wrong($"field {name}", "must be a list of strings");
        }

        return [.. value.EnumerateArray().Select((item, at) => TextOf(item, $"field {name}[{at.ToString(CultureInfo.InvariantCulture)}]"))];
    }

    public int Number(string name) => Value(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var number)
        ? number
        : throw Wrong($"field {name}", "must be a whole number");

    public EvaluationException Wrong(string what, string rule) => new($"{Place}: {what} {rule}. {_shape}");

    private JsonElement Value(string name) => _record.TryGetProperty(name, out var value) ? value : throw Wrong($"field {name}", "is missing");

    private string TextOf(JsonElement value, string what)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            throw Wrong(what, "must be a string");
        }

        string text;
        try
        {
            text = value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Wrong(what, "holds half of a surrogate pair, which is no text");
        }

        return text.Length > LongestText ? throw Wrong(what, $"has {text.Length} characters; at most {LongestText} are taken")
            : text.Contains('\0', StringComparison.Ordinal) ? throw Wrong(what, "holds a NUL character, which Python does not take")
            : text;
    }
}
