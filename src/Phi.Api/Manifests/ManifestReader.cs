using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Phi.Api.Manifests;

/// <summary>Reads YAML (and so JSON) manifests into JSON, with the scalars of YAML 1.2's core schema, as kubectl does.</summary>
public static class ManifestReader
{
    /// <summary>Every document that is not empty.</summary>
    /// <exception cref="FormatException">The text is no YAML, or a document is no object; the message has line and column.</exception>
    public static IReadOnlyList<JsonObject> Read(string yaml)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(yaml));
            return [.. stream.Documents.Select(document => document.RootNode).Where(root => root is not YamlScalarNode { Value: null or "" }).Select(Document)];
        }
        catch (YamlException e)
        {
            throw new FormatException($"line {e.Start.Line}, column {e.Start.Column}: {e.InnerException?.Message ?? e.Message}", e);
        }
    }

    private static JsonObject Document(YamlNode root) =>
        Convert(root) as JsonObject ?? throw new FormatException($"line {root.Start.Line}, column {root.Start.Column}: a manifest is an object with apiVersion, kind and metadata");

    private static JsonNode? Convert(YamlNode node) => node switch
    {
        YamlMappingNode mapping => Object(mapping),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Select(Convert)]),
        YamlScalarNode scalar => Scalar(scalar),
        _ => throw new FormatException($"line {node.Start.Line}, column {node.Start.Column}: an alias without its anchor"),
    };

    private static JsonObject Object(YamlMappingNode mapping)
    {
        var result = new JsonObject();
        foreach (var (key, value) in mapping)
        {
            result.Add(((YamlScalarNode)key).Value ?? "", Convert(value));
        }

        return result;
    }

    private static JsonValue? Scalar(YamlScalarNode scalar)
    {
        var text = scalar.Value ?? "";
        if (scalar.Style != ScalarStyle.Plain)
        {
            return JsonValue.Create(text);
        }

        return text switch
        {
            "" or "~" or "null" or "Null" or "NULL" => null,
            "true" or "True" or "TRUE" => JsonValue.Create(true),
            "false" or "False" or "FALSE" => JsonValue.Create(false),
            _ => Number(text) ?? JsonValue.Create(text),
        };
    }

    private static JsonValue? Number(string text)
    {
        // A number starts with a digit, a sign or a dot; 'Infinity' and 'NaN' are text in JSON's terms.
        if (!char.IsAsciiDigit(text[0]) && (text.Length == 1 || text[0] is not ('-' or '+' or '.')) || !text.Any(char.IsAsciiDigit))
        {
            return null;
        }

        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
        {
            return JsonValue.Create(whole);
        }

        return double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real)
            ? JsonValue.Create(real)
            : null;
    }
}
