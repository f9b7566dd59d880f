using System.Globalization;
using System.Text.Json.Nodes;

namespace Phi.Api.Crds;

/// <summary>
/// Something that the API server itself checks or fills in, at a path of the spec such as <c>recovery.rules[].action</c>. Ranges are CEL
/// rules rather than minimum and maximum, because only those let the message name the remedy.
/// </summary>
internal sealed class CrdRule(string path, Action<JsonObject> change)
{
    public static CrdRule Range(string path, long least, long most, string remedy) =>
        Cel(path, most == long.MaxValue ? $"self >= {Text(least)}" : $"self >= {Text(least)} && self <= {Text(most)}", most == long.MaxValue ? $"must be at least {Text(least)}; {remedy}" : $"must be from {Text(least)} to {Text(most)}; {remedy}");

    public static CrdRule OneOf(string path, params string[] values) => new(path, schema => schema["enum"] = new JsonArray([.. values.Select(value => (JsonNode?)value)]));

    public static CrdRule Default(string path, JsonNode value) => new(path, schema => schema["default"] = value.DeepClone());

    /// <summary>Bounds that let the API server estimate what a rule below costs.</summary>
    public static CrdRule Limit(string path, int most) => new(path, schema => schema[(string?)schema["type"] == "array" ? "maxItems" : "maxLength"] = most);

    public static CrdRule Required(string path, params string[] names) => new(path, schema => schema["required"] = new JsonArray([.. names.Select(name => (JsonNode?)name)]));

    public static CrdRule Duration(string path) => new(path, schema =>
    {
        schema["maxLength"] = 32;
        Add(schema, """self.matches('^([0-9]+([.][0-9]+)?h)?([0-9]+([.][0-9]+)?m)?([0-9]+([.][0-9]+)?s)?([0-9]+ms)?$') && size(self) > 0""", "must be a duration; write it like 30s, 10m or 1h30m", null);
    });

    /// <summary>At most one of the members, or exactly one.</summary>
    public static CrdRule Choice(string path, bool isRequired, string remedy, params string[] names) =>
        Cel(path, $"[{string.Join(", ", names.Select(name => $"has(self.{name})"))}].filter(given, given).size() {(isRequired ? "==" : "<=")} 1", $"must have {(isRequired ? "exactly" : "at most")} one of {string.Join(", ", names)}; {remedy}");

    /// <remarks>The message is a fixed text: the API server refuses a messageExpression with a number in it, since it takes a number's text to be of any length.</remarks>
    public static CrdRule Cel(string path, string rule, string message, string? fieldPath = null) => new(path, schema => Add(schema, rule, message, fieldPath));

    public void AddTo(JsonObject spec)
    {
        var at = spec;
        foreach (var part in path.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            var name = part.EndsWith("[]", StringComparison.Ordinal) ? part[..^2] : part;
            at = at["properties"]?[name] as JsonObject ?? throw new InvalidOperationException($"no field {path}: {name} is missing");
            at = name == part ? at : at["items"]!.AsObject();
        }

        change(at);
    }

    private static void Add(JsonObject schema, string rule, string message, string? fieldPath)
    {
        var entry = new JsonObject { ["rule"] = rule, ["message"] = message };
        if (fieldPath is not null)
        {
            entry["fieldPath"] = fieldPath;
        }

        (schema["x-kubernetes-validations"] ??= new JsonArray()).AsArray().Add((JsonNode)entry);
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
