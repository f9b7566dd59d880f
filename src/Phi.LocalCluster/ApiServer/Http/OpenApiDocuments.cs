using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;

namespace Phi.LocalCluster.ApiServer.Http;

/// <summary>OpenAPI v3, one document per group and version: kubectl explain, and what tells kubectl that the server validates fields.</summary>
internal sealed class OpenApiDocuments(ResourceCatalog catalog)
{
    private const string MetadataComponent = "io.k8s.V1ObjectMeta";
    private static readonly string[] WriteParameters = ["dryRun", "fieldManager", "fieldValidation"];

    /// <summary>Null if the path is none of them.</summary>
    public JsonObject? Find(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries) switch
    {
        ["openapi", "v3"] => Index(),
        ["openapi", "v3", "api", var version] => Document("", version),
        ["openapi", "v3", "apis", var group, var version] => Document(group, version),
        _ => null,
    };

    private JsonObject Index()
    {
        var paths = new JsonObject();
        foreach (var (group, version) in catalog.All.Select(type => (type.Group, type.Version)).Distinct())
        {
            var path = group.Length == 0 ? $"api/{version}" : $"apis/{group}/{version}";
            var hash = Convert.ToHexString(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(Document(group, version))));
            paths[path] = new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{path}?hash={hash}" };
        }

        return new JsonObject { ["paths"] = paths };
    }

    private JsonObject? Document(string group, string version)
    {
        var types = catalog.All.Where(type => type.Group == group && type.Version == version).ToList();
        if (types.Count == 0)
        {
            return null;
        }

        var (paths, schemas) = (new JsonObject(), new JsonObject());
        foreach (var type in types)
        {
            var name = $"{type.Group}.{type.Version}.{type.Kind}".TrimStart('.');
            schemas[name] = Schema(type);
            var root = (group.Length == 0 ? $"/api/{version}" : $"/apis/{group}/{version}") + (type.Namespaced ? "/namespaces/{namespace}/" : "/") + type.Plural;
            if (type.IsReview)
            {
                paths[root] = new JsonObject { ["post"] = Operation(type, name, "post") };
                continue;
            }

            paths[root] = new JsonObject { ["get"] = Operation(type, name, "list"), ["post"] = Operation(type, name, "post") };
            paths[$"{root}/{{name}}"] = new JsonObject
            {
                ["get"] = Operation(type, name, "get"),
                ["put"] = Operation(type, name, "put"),
                ["patch"] = Operation(type, name, "patch"),
                ["delete"] = Operation(type, name, "delete"),
            };
        }

        var roots = new JsonObject { ["schemas"] = schemas };
        foreach (var (name, component) in BuiltInResources.Schemas.Closure(roots).ToList())
        {
            schemas[name] = component.DeepClone();
        }

        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = "v1.34.0+phi" },
            ["paths"] = paths,
            ["components"] = roots,
        };
    }

    private static JsonObject Schema(ResourceType type)
    {
        var schema = type.OpenApi.DeepClone().AsObject();
        schema["x-kubernetes-group-version-kind"] = new JsonArray(type.GroupVersionKind);
        if (type.IsCustom)
        {
            var properties = (schema["properties"] ??= new JsonObject()).AsObject();
            properties["apiVersion"] = new JsonObject { ["type"] = "string", ["description"] = "Version of this representation of the object." };
            properties["kind"] = new JsonObject { ["type"] = "string", ["description"] = "The kind of the object." };
            BuiltInResources.Schemas.Of(typeof(k8s.Models.V1ObjectMeta));
            properties["metadata"] = new JsonObject { ["$ref"] = ClrSchemas.Prefix + MetadataComponent };
        }

        return schema;
    }

    private static JsonObject Operation(ResourceType type, string schema, string action)
    {
        var body = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = ClrSchemas.Prefix + schema } };
        var operation = new JsonObject
        {
            ["operationId"] = $"{action}{type.Kind}{type.Version}{type.Group}",
            ["x-kubernetes-action"] = action,
            ["x-kubernetes-group-version-kind"] = type.GroupVersionKind,
            ["responses"] = new JsonObject { ["200"] = new JsonObject { ["description"] = "OK", ["content"] = new JsonObject { ["application/json"] = body.DeepClone() } } },
        };
        if (action is "post" or "put" or "patch")
        {
            operation["parameters"] = new JsonArray([.. WriteParameters.Select(name => new JsonObject
            {
                ["name"] = name,
                ["in"] = "query",
                ["schema"] = new JsonObject { ["type"] = "string" },
            })]);
            operation["requestBody"] = new JsonObject { ["content"] = new JsonObject { ["*/*"] = body } };
        }

        return operation;
    }
}
