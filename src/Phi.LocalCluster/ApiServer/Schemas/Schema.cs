using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Phi.LocalCluster.ApiServer.Schemas.Cel;

namespace Phi.LocalCluster.ApiServer.Schemas;

/// <summary>A structural schema (apiextensions.k8s.io/v1 JSONSchemaProps), parsed once.</summary>
internal sealed class Schema
{
    private Lazy<Schema>? _reference;

    public string? Type { get; private init; }
    public string? Format { get; private init; }
    public IReadOnlyDictionary<string, Schema> Properties { get; private init; } = new Dictionary<string, Schema>();
    public Schema? AdditionalProperties { get; private init; }
    public Schema? Items { get; private init; }
    public IReadOnlyList<string> Required { get; private init; } = [];
    public IReadOnlyList<JsonNode?> Enum { get; private init; } = [];
    public JsonNode? Default { get; private init; }
    public bool Nullable { get; private init; }
    public bool PreserveUnknown { get; private init; }
    public bool IntOrString { get; private init; }
    public bool EmbeddedResource { get; private init; }
    public double? Minimum { get; private init; }
    public double? Maximum { get; private init; }
    public bool ExclusiveMinimum { get; private init; }
    public bool ExclusiveMaximum { get; private init; }
    public double? MultipleOf { get; private init; }
    public int? MinLength { get; private init; }
    public int? MaxLength { get; private init; }
    public int? MinItems { get; private init; }
    public int? MaxItems { get; private init; }
    public int? MinProperties { get; private init; }
    public int? MaxProperties { get; private init; }
    public bool UniqueItems { get; private init; }
    public Regex? Pattern { get; private init; }
    public string? PatternText { get; private init; }
    public IReadOnlyList<Schema> AllOf { get; private init; } = [];
    public IReadOnlyList<Schema> AnyOf { get; private init; } = [];
    public IReadOnlyList<Schema> OneOf { get; private init; } = [];
    public Schema? Not { get; private init; }
    /// <summary>atomic, set or map.</summary>
    public string ListType { get; private init; } = "atomic";
    public IReadOnlyList<string> ListMapKeys { get; private init; } = [];
    /// <summary>granular or atomic.</summary>
    public string MapType { get; private init; } = "granular";
    public IReadOnlyList<CelRule> Rules { get; private init; } = [];

    /// <summary>Accepts everything and prunes nothing.</summary>
    public static Schema Any { get; } = new() { PreserveUnknown = true };

    /// <summary>The schema itself, or the one that it refers to.</summary>
    public Schema Resolved => _reference?.Value ?? this;

    /// <param name="resolve">Finds the schema that a <c>$ref</c> names.</param>
    /// <exception cref="FormatException">A pattern or a CEL rule does not compile; the message names its place.</exception>
    public static Schema Parse(JsonObject json, Func<string, Schema>? resolve = null, string path = "")
    {
        if ((string?)json["$ref"] is { } reference && resolve is not null)
        {
            return new Schema { _reference = new Lazy<Schema>(() => resolve(reference)) };
        }

        return new Schema
        {
            Type = (string?)json["type"],
            Format = (string?)json["format"],
            Properties = Children(json["properties"]),
            AdditionalProperties = json["additionalProperties"] switch
            {
                JsonObject extra => Parse(extra, resolve, $"{path}[*]"),
                JsonValue value when value.TryGetValue(out bool allowed) && allowed => Any,
                _ => null,
            },
            Items = json["items"] is JsonObject items ? Parse(items, resolve, $"{path}[*]") : null,
            Required = Strings(json["required"]),
            Enum = json["enum"] is JsonArray values ? [.. values] : [],
            Default = json["default"],
            Nullable = Flag("nullable"),
            PreserveUnknown = Flag("x-kubernetes-preserve-unknown-fields"),
            IntOrString = Flag("x-kubernetes-int-or-string"),
            EmbeddedResource = Flag("x-kubernetes-embedded-resource"),
            Minimum = (double?)json["minimum"],
            Maximum = (double?)json["maximum"],
            ExclusiveMinimum = Flag("exclusiveMinimum"),
            ExclusiveMaximum = Flag("exclusiveMaximum"),
            MultipleOf = (double?)json["multipleOf"],
            MinLength = (int?)json["minLength"],
            MaxLength = (int?)json["maxLength"],
            MinItems = (int?)json["minItems"],
            MaxItems = (int?)json["maxItems"],
            MinProperties = (int?)json["minProperties"],
            MaxProperties = (int?)json["maxProperties"],
            UniqueItems = Flag("uniqueItems"),
            PatternText = (string?)json["pattern"],
            Pattern = (string?)json["pattern"] is { } pattern ? Compile(pattern, path) : null,
            AllOf = Several(json["allOf"]),
            AnyOf = Several(json["anyOf"]),
            OneOf = Several(json["oneOf"]),
            Not = json["not"] is JsonObject not ? Parse(not, resolve, path) : null,
            ListType = (string?)json["x-kubernetes-list-type"] ?? "atomic",
            ListMapKeys = Strings(json["x-kubernetes-list-map-keys"]),
            MapType = (string?)json["x-kubernetes-map-type"] ?? "granular",
            Rules = json["x-kubernetes-validations"] is JsonArray rules ? [.. rules.Select(rule => CelRule.Parse(rule!.AsObject(), path))] : [],
        };

        bool Flag(string name) => (bool?)json[name] ?? false;

        static IReadOnlyList<string> Strings(JsonNode? node) => node is JsonArray array ? [.. array.Select(item => (string)item!)] : [];

        IReadOnlyList<Schema> Several(JsonNode? node) => node is JsonArray array ? [.. array.Select(item => Parse(item!.AsObject(), resolve, path))] : [];

        Dictionary<string, Schema> Children(JsonNode? node)
        {
            var children = new Dictionary<string, Schema>(StringComparer.Ordinal);
            foreach (var (name, child) in node as JsonObject ?? [])
            {
                children[name] = Parse(child!.AsObject(), resolve, $"{path}.{name}");
            }

            return children;
        }
    }

    /// <summary>The schema below a property, an added property or a list's items; null if there is none.</summary>
    public Schema? Child(string name) =>
        Resolved is var me && me.Properties.TryGetValue(name, out var child) ? child.Resolved : me.AdditionalProperties?.Resolved;

    private static Regex Compile(string pattern, string path)
    {
        try
        {
            return new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new FormatException($"openAPIV3Schema{path}.pattern: Invalid value: \"{pattern}\": {e.Message}", e);
        }
    }
}
