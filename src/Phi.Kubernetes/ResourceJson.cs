using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using Phi.Api.Metadata;

namespace Phi.Kubernetes;

/// <summary>Kubernetes' own kinds by the client library's rules, this product's by its own.</summary>
public static class ResourceJson
{
    public static T Parse<T>(JsonObject value) => Parse<T>(JsonSerializer.SerializeToUtf8Bytes(value));

    /// <param name="json">UTF-8.</param>
    public static T Parse<T>(byte[] json)
    {
        if (!typeof(IKubernetesObject).IsAssignableFrom(typeof(T)))
        {
            return JsonSerializer.Deserialize<T>(json, PhiJson.Options)!;
        }

        using var stream = new MemoryStream(json, writable: false);
        return KubernetesJson.Deserialize<T>(stream);
    }

    public static JsonObject Write<T>(T value) => typeof(IKubernetesObject).IsAssignableFrom(typeof(T))
        ? JsonNode.Parse(KubernetesJson.Serialize(value))!.AsObject()
        : JsonSerializer.SerializeToNode(value, PhiJson.Options)!.AsObject();
}
