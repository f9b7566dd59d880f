using System.Text.Json;

namespace Phi.Kubernetes;

/// <summary>Which object it is, and which version of it; a bookmark has the version alone.</summary>
internal readonly record struct ResourceHead(ResourceKey Key, string Version)
{
    /// <summary>Reads no further than the metadata.</summary>
    /// <exception cref="JsonException">It is no object with a version.</exception>
    public static ResourceHead Read(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        var (@namespace, name, version) = ("", "", default(string));
        if (Enter(ref reader) && Find(ref reader, "metadata"u8) && reader.TokenType == JsonTokenType.StartObject)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var (isNamespace, isName, isVersion) = (reader.ValueTextEquals("namespace"u8), reader.ValueTextEquals("name"u8), reader.ValueTextEquals("resourceVersion"u8));
                reader.Read();
                if (!isNamespace && !isName && !isVersion)
                {
                    reader.Skip();
                }
                else if (reader.GetString() is { } text)
                {
                    (@namespace, name, version) = (isNamespace ? text : @namespace, isName ? text : name, isVersion ? text : version);
                }
            }
        }

        return new ResourceHead(new ResourceKey(@namespace, name), version ?? throw new JsonException("an object without metadata.resourceVersion"));
    }

    internal static bool Enter(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.StartObject;

    /// <summary>Within an object: goes to the property's value; false at the object's end.</summary>
    internal static bool Find(ref Utf8JsonReader reader, ReadOnlySpan<byte> property)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isIt = reader.ValueTextEquals(property);
            reader.Read();
            if (isIt)
            {
                return true;
            }

            reader.Skip();
        }

        return false;
    }
}
