using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Printing;
using Phi.LocalCluster.ApiServer.Schemas;

namespace Phi.LocalCluster.ApiServer.Registry;

/// <summary>Every resource that is served now: the built-in ones and those of the established definitions.</summary>
internal sealed class ResourceCatalog
{
    private readonly Lock _lock = new();
    private volatile IReadOnlyList<ResourceType> _all = BuiltInResources.All;
    private Dictionary<string, Defined> _defined = new(StringComparer.Ordinal);

    public IReadOnlyList<ResourceType> All => _all;

    public ResourceType? Find(string group, string version, string plural) =>
        _all.FirstOrDefault(type => type.Group == group && type.Version == version && type.Plural == plural);

    public ResourceType? FindKind(string apiVersion, string kind) =>
        _all.FirstOrDefault(type => type.ApiVersion == apiVersion && type.Kind == kind);

    /// <summary>The type under which the server itself reads a stored resource: the first version served.</summary>
    public ResourceType? FindStorage(string storage) => _all.FirstOrDefault(type => type.Storage == storage);

    /// <summary>Serves what the definitions say, and nothing that no definition says any more. A definition that is as it was keeps its types; the others' end.</summary>
    public void Use(IEnumerable<JsonObject> definitions)
    {
        List<Defined> over;
        lock (_lock)
        {
            var defined = definitions.ToDictionary(
                definition => (string)definition["metadata"]!["name"]!,
                definition => _defined.GetValueOrDefault((string)definition["metadata"]!["name"]!) is { } known && JsonNode.DeepEquals(known.Spec, definition["spec"]) ? known : new Defined(definition["spec"], Parse(definition)),
                StringComparer.Ordinal);
            over = [.. _defined.Values.Where(known => !defined.ContainsValue(known))];
            (_defined, _all) = (defined, [.. BuiltInResources.All, .. defined.Values.SelectMany(one => one.Types)]);
        }

        foreach (var type in over.SelectMany(one => one.Types))
        {
            type.End();
        }
    }

    /// <summary>The versions that a definition serves.</summary>
    /// <exception cref="FormatException">A schema, pattern or rule in it is not valid.</exception>
    public static IReadOnlyList<ResourceType> Parse(JsonObject definition)
    {
        var spec = definition["spec"]!.AsObject();
        var names = spec["names"]!.AsObject();
        var types = new List<ResourceType>();
        foreach (var version in spec["versions"]!.AsArray().Select(version => version!.AsObject()))
        {
            var openApi = version["schema"]?["openAPIV3Schema"] as JsonObject ?? new JsonObject { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true };
            var schema = Schema.Parse(openApi);
            if ((bool?)version["served"] == false)
            {
                continue;
            }

            types.Add(new ResourceType
            {
                Group = (string)spec["group"]!,
                Version = (string)version["name"]!,
                Plural = (string)names["plural"]!,
                Singular = (string?)names["singular"] ?? ((string)names["kind"]!).ToLowerInvariant(),
                Kind = (string)names["kind"]!,
                Namespaced = (string?)spec["scope"] != "Cluster",
                ShortNames = Strings(names["shortNames"]),
                Categories = Strings(names["categories"]),
                HasStatus = version["subresources"]?["status"] is not null,
                HasGeneration = true,
                IsCustom = true,
                OpenApi = openApi,
                Schema = schema,
                Columns = PrinterColumn.OfDefinition(version["additionalPrinterColumns"] as JsonArray),
            });
        }

        return types;
    }

    private static IReadOnlyList<string> Strings(JsonNode? node) => node is JsonArray array ? [.. array.Select(item => (string)item!)] : [];

    private sealed record Defined(JsonNode? Spec, IReadOnlyList<ResourceType> Types);
}
