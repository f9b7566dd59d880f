using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;

namespace Phi.LocalCluster.ApiServer.Http;

/// <summary>/api, /apis and below: which groups, versions and resources there are.</summary>
internal sealed class Discovery(ResourceCatalog catalog)
{
    private static readonly string[] Verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
    private static readonly string[] StatusVerbs = ["get", "patch", "update"];

    /// <summary>Null if the path is no discovery path.</summary>
    public JsonObject? Find(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries) switch
    {
        ["api"] => new JsonObject { ["kind"] = "APIVersions", ["versions"] = new JsonArray("v1"), ["serverAddressByClientCIDRs"] = new JsonArray() },
        ["apis"] => new JsonObject { ["kind"] = "APIGroupList", ["apiVersion"] = "v1", ["groups"] = new JsonArray([.. Groups().Select(Group)]) },
        ["apis", var group] when Groups().Contains(group) => Group(group, isTop: true),
        ["api", "v1"] => Resources("", "v1"),
        ["apis", var group, var version] when catalog.All.Any(type => type.Group == group && type.Version == version) => Resources(group, version),
        ["version"] => new JsonObject
        {
            ["major"] = "1",
            ["minor"] = "34",
            ["gitVersion"] = "v1.34.0+phi",
            ["gitCommit"] = "",
            ["gitTreeState"] = "clean",
            ["buildDate"] = "1970-01-01T00:00:00Z",
            ["goVersion"] = "",
            ["compiler"] = "dotnet",
            ["platform"] = "linux/amd64",
        },
        _ => null,
    };

    private IEnumerable<string> Groups() => catalog.All.Select(type => type.Group).Where(group => group.Length > 0).Distinct();

    private JsonObject Group(string group) => Group(group, isTop: false);

    private JsonObject Group(string group, bool isTop)
    {
        var versions = catalog.All.Where(type => type.Group == group).Select(type => type.Version).Distinct().Select(version => new JsonObject { ["groupVersion"] = $"{group}/{version}", ["version"] = version }).ToList();
        var result = new JsonObject { ["name"] = group, ["versions"] = new JsonArray([.. versions]), ["preferredVersion"] = versions[0].DeepClone() };
        if (isTop)
        {
            result["kind"] = "APIGroup";
            result["apiVersion"] = "v1";
        }

        return result;
    }

    private JsonObject Resources(string group, string version) => new()
    {
        ["kind"] = "APIResourceList",
        ["apiVersion"] = "v1",
        ["groupVersion"] = group.Length == 0 ? version : $"{group}/{version}",
        ["resources"] = new JsonArray([.. catalog.All.Where(type => type.Group == group && type.Version == version).SelectMany(Entries)]),
    };

    private static IEnumerable<JsonNode> Entries(ResourceType type)
    {
        yield return new JsonObject
        {
            ["name"] = type.Plural,
            ["singularName"] = type.Singular,
            ["namespaced"] = type.Namespaced,
            ["kind"] = type.Kind,
            ["verbs"] = Strings(type.IsReview ? ["create"] : Verbs),
            ["shortNames"] = type.ShortNames.Count > 0 ? Strings(type.ShortNames) : null,
            ["categories"] = type.Categories.Count > 0 ? Strings(type.Categories) : null,
        };
        if (type.HasStatus)
        {
            yield return Sub("status", type.Kind, StatusVerbs);
        }

        if (type == BuiltInResources.Pods)
        {
            yield return Sub("log", "Pod", ["get"]);
            yield return Sub("binding", "Binding", ["create"]);
            yield return Foreign("eviction", "Eviction", "policy");
        }

        if (type == BuiltInResources.ServiceAccounts)
        {
            yield return Foreign("token", "TokenRequest", "authentication.k8s.io");
        }

        JsonObject Foreign(string name, string kind, string group)
        {
            var entry = Sub(name, kind, ["create"]);
            entry["group"] = group;
            entry["version"] = "v1";
            return entry;
        }

        JsonObject Sub(string name, string kind, IEnumerable<string> verbs) =>
            new() { ["name"] = $"{type.Plural}/{name}", ["singularName"] = "", ["namespaced"] = type.Namespaced, ["kind"] = kind, ["verbs"] = Strings(verbs) };
    }

    private static JsonArray Strings(IEnumerable<string> values) => new([.. values.Select(value => (JsonNode?)value)]);
}
