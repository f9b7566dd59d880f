using System.Text.Json;
using System.Text.Json.Serialization;

namespace Phi.Api.Metadata;

/// <summary>The one JSON form of all wire types: camelCase names, absent instead of null, enums as their CamelCase names.</summary>
public static class PhiJson
{
    public static JsonSerializerOptions Options { get; } = Create();

    /// <summary>Gives options that somebody else made this form.</summary>
    public static void Configure(JsonSerializerOptions options)
    {
        options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.NumberHandling = JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.AllowNamedFloatingPointLiterals;
        options.Converters.Add(new JsonStringEnumConverter());
        options.Converters.Add(new SharedStringConverter());
    }

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web);
        Configure(options);
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
