using System.Text.Json;
using System.Text.Json.Serialization;

namespace Phi.Api.Metadata;

/// <summary>The one JSON form of all wire types: camelCase names, absent instead of null, enums as their CamelCase names.</summary>
public static class PhiJson
{
    public static JsonSerializerOptions Options { get; } = Create();

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            NumberHandling = JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.AllowNamedFloatingPointLiterals,
        };
        options.Converters.Add(new JsonStringEnumConverter());
        options.Converters.Add(new SharedStringConverter());
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
