using System.Collections;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using k8s.Models;
using Phi.LocalCluster.ApiServer.Patching;

namespace Phi.LocalCluster.ApiServer.Registry;

/// <summary>OpenAPI schemas of the built-in kinds, read off the client library's model classes, which are generated from Kubernetes' own.</summary>
internal sealed class ClrSchemas
{
    public const string Prefix = "#/components/schemas/";
    /// <summary>Lists whose items are told apart by more than the name of the list says (x-kubernetes-list-map-keys of Kubernetes' OpenAPI).</summary>
    private static readonly Dictionary<(string Type, string Field), string[]> MapKeys = new()
    {
        [(nameof(V1Container), "ports")] = ["containerPort", "protocol"],
        [(nameof(V1ServiceSpec), "ports")] = ["port", "protocol"],
        [(nameof(V1PodSpec), "topologySpreadConstraints")] = ["topologyKey", "whenUnsatisfiable"],
        [(nameof(V1PodStatus), "podIPs")] = ["ip"],
        [(nameof(V1PodStatus), "hostIPs")] = ["ip"],
    };

    /// <summary>Structures and maps that have one owner as a whole (x-kubernetes-map-type: atomic).</summary>
    private static readonly HashSet<string> AtomicTypes =
    [
        nameof(V1LabelSelector), nameof(V1ObjectReference), nameof(V1LocalObjectReference), nameof(V1TypedLocalObjectReference), nameof(V1SecretKeySelector),
        nameof(V1ConfigMapKeySelector), nameof(V1ObjectFieldSelector), nameof(V1ResourceFieldSelector), nameof(V1NodeSelector), nameof(V1NodeSelectorTerm), nameof(V1RoleRef),
    ];

    private static readonly HashSet<(string Type, string Field)> AtomicMaps = [(nameof(V1PodSpec), "nodeSelector"), (nameof(V1ServiceSpec), "selector")];

    private static readonly Dictionary<(string Type, string Field), string> Defaults = new()
    {
        [(nameof(V1ContainerPort), "protocol")] = "TCP",
        [(nameof(V1ServicePort), "protocol")] = "TCP",
    };

    private readonly Dictionary<string, JsonObject> _components = new(StringComparer.Ordinal);

    /// <summary>Name to schema of every class met so far.</summary>
    public IReadOnlyDictionary<string, JsonObject> Components => _components;

    public JsonObject Of(Type type)
    {
        var name = $"io.k8s.{type.Name}";
        if (_components.TryGetValue(name, out var known))
        {
            return known;
        }

        var properties = new JsonObject();
        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties };
        _components[name] = schema;
        if (AtomicTypes.Contains(type.Name))
        {
            schema["x-kubernetes-map-type"] = "atomic";
        }

        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name is { } jsonName)
            {
                properties[jsonName] = Field(type.Name, jsonName, property.PropertyType);
            }
        }

        return schema;
    }

    /// <summary>The parts of a schema that a document must hold so that each of its references is found.</summary>
    public IEnumerable<KeyValuePair<string, JsonObject>> Closure(JsonObject root)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<JsonNode?>([root]);
        while (open.TryPop(out var node))
        {
            foreach (var child in node switch { JsonObject members => members.Select(pair => pair.Value), JsonArray items => items, _ => [] })
            {
                open.Push(child);
            }

            if (node is JsonObject && (string?)node["$ref"] is { } reference && reference[Prefix.Length..] is var name && seen.Add(name))
            {
                open.Push(_components[name]);
                yield return KeyValuePair.Create(name, _components[name]);
            }
        }
    }

    private JsonObject Field(string owner, string name, Type type)
    {
        var value = Value(type);
        var keys = MapKeys.GetValueOrDefault((owner, name)) ?? (StrategicMergePatch.MergeKeys.TryGetValue(name, out var key) ? [key] : null);
        if ((string?)value["type"] == "array" && keys is not null)
        {
            value["x-kubernetes-list-type"] = "map";
            value["x-kubernetes-list-map-keys"] = new JsonArray([.. keys.Select(one => (JsonNode?)one)]);
        }

        if (AtomicMaps.Contains((owner, name)))
        {
            value["x-kubernetes-map-type"] = "atomic";
        }

        if (Defaults.TryGetValue((owner, name), out var preset))
        {
            value["default"] = preset;
        }

        return value;
    }

    private JsonObject Value(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string) || type == typeof(byte[]))
        {
            return new JsonObject { ["type"] = "string", ["nullable"] = true };
        }

        if (type == typeof(DateTime))
        {
            return new JsonObject { ["type"] = "string", ["format"] = "date-time", ["nullable"] = true };
        }

        if (type == typeof(bool))
        {
            return new JsonObject { ["type"] = "boolean" };
        }

        if (type == typeof(int) || type == typeof(long))
        {
            return new JsonObject { ["type"] = "integer", ["format"] = type == typeof(int) ? "int32" : "int64" };
        }

        if (type == typeof(double))
        {
            return new JsonObject { ["type"] = "number" };
        }

        if (type == typeof(IntOrString) || type == typeof(ResourceQuantity))
        {
            return new JsonObject { ["x-kubernetes-int-or-string"] = true };
        }

        if (type.IsGenericType && typeof(IEnumerable).IsAssignableFrom(type))
        {
            var arguments = type.GetGenericArguments();
            return arguments.Length == 2
                ? new JsonObject { ["type"] = "object", ["nullable"] = true, ["additionalProperties"] = Value(arguments[1]) }
                : new JsonObject { ["type"] = "array", ["nullable"] = true, ["items"] = Value(arguments[0]) };
        }

        // A CRD's own schema is data here; the structural parser checks it when the definition is established.
        if (type == typeof(object) || type == typeof(V1JSONSchemaProps) || type.Namespace?.StartsWith("k8s", StringComparison.Ordinal) != true)
        {
            return new JsonObject { ["x-kubernetes-preserve-unknown-fields"] = true };
        }

        Of(type);
        return new JsonObject { ["$ref"] = $"{Prefix}io.k8s.{type.Name}" };
    }
}
