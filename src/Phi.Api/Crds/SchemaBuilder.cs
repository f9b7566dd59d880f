using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Phi.Api.Metadata;

namespace Phi.Api.Crds;

/// <summary>A structural schema from a wire type.</summary>
internal sealed partial class SchemaBuilder(XDocument documentation)
{
    private readonly Dictionary<string, string> _summaries = documentation.Descendants("member")
        .Where(member => member.Element("summary") is not null)
        .ToDictionary(member => member.Attribute("name")!.Value, member => Plain(member.Element("summary")!));

    public string? Describe(Type type) => _summaries.GetValueOrDefault($"T:{type.FullName}");

    public JsonObject Of(Type type)
    {
        var properties = new JsonObject();
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var schema = Value(property.PropertyType);
            if (_summaries.GetValueOrDefault($"P:{type.FullName}.{property.Name}") is { } summary)
            {
                schema["description"] = summary;
            }

            if (property is { Name: "Conditions" })
            {
                schema["x-kubernetes-list-type"] = "map";
                schema["x-kubernetes-list-map-keys"] = new JsonArray("type");
                schema["items"]!["required"] = new JsonArray("type");
            }

            properties[JsonNamingPolicy.CamelCase.ConvertName(property.Name)] = schema;
        }

        var result = new JsonObject { ["type"] = "object" };
        if (Describe(type) is { } description)
        {
            result["description"] = description;
        }

        if (properties.Count > 0)
        {
            result["properties"] = properties;
        }

        return result;
    }

    private JsonObject Value(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type switch
        {
            _ when type == typeof(string) => new JsonObject { ["type"] = "string" },
            _ when type == typeof(bool) => new JsonObject { ["type"] = "boolean" },
            _ when type == typeof(int) => new JsonObject { ["type"] = "integer", ["format"] = "int32" },
            _ when type == typeof(long) => new JsonObject { ["type"] = "integer", ["format"] = "int64" },
            _ when type == typeof(double) => new JsonObject { ["type"] = "number", ["format"] = "double" },
            _ when type == typeof(DateTimeOffset) => new JsonObject { ["type"] = "string", ["format"] = "date-time" },
            _ when type == typeof(JsonObject) || type == typeof(ObjectMeta) => AnyObject(),
            _ when type == typeof(JsonArray) => new JsonObject { ["type"] = "array", ["items"] = AnyObject() },
            { IsGenericType: true } when type.GetGenericTypeDefinition() == typeof(List<>) => new JsonObject { ["type"] = "array", ["items"] = Value(type.GenericTypeArguments[0]) },
            { IsGenericType: true } when type.GetGenericTypeDefinition() == typeof(Dictionary<,>) => new JsonObject { ["type"] = "object", ["additionalProperties"] = Value(type.GenericTypeArguments[1]) },
            _ => Of(type),
        };
    }

    private static JsonObject AnyObject() => new() { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true };

    private static string Plain(XElement summary) => Blanks().Replace(summary.Value, " ").Trim();

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant)]
    private static partial Regex Blanks();
}
