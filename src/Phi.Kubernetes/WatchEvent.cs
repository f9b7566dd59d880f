using System.Text.Json.Nodes;

namespace Phi.Kubernetes;

/// <summary>One change that a watch delivers. Its object is read only as far as somebody asks.</summary>
/// <param name="type">ADDED, MODIFIED, DELETED or BOOKMARK.</param>
/// <param name="json">The object, UTF-8.</param>
public sealed class WatchEvent(string type, byte[] json)
{
    public string Type => type;

    /// <summary>Of the list with this change: a watch goes on after it.</summary>
    public string Version => Head.Version;

    internal ResourceHead Head { get; } = ResourceHead.Read(json);

    /// <exception cref="System.Text.Json.JsonException">It is not of that kind.</exception>
    public T Parse<T>() => ResourceJson.Parse<T>(json);

    public JsonObject ToJson() => JsonNode.Parse(json)!.AsObject();
}
