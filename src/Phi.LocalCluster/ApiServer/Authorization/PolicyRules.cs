using System.Text.Json.Nodes;

namespace Phi.LocalCluster.ApiServer.Authorization;

/// <summary>rbac.authorization.k8s.io/v1 PolicyRule: what one rule allows, and whether rules hold all that another grants.</summary>
internal static class PolicyRules
{
    private const string All = "*";

    public static bool Allows(JsonNode rule, AccessAttributes wanted) => wanted.Path is { } path
        ? Has(rule, "verbs", wanted.Verb) && Strings(rule, "nonResourceURLs").Any(url => url == All || url == path || IsBelow(url, path))
        : Has(rule, "verbs", wanted.Verb)
            && Has(rule, "apiGroups", wanted.Group)
            && Strings(rule, "resources").Any(resource => resource == All || resource == wanted.FullResource || (wanted.Subresource.Length > 0 && resource == $"*/{wanted.Subresource}"))
            && (Strings(rule, "resourceNames") is { Count: 0 } || Strings(rule, "resourceNames").Contains(wanted.Name));

    /// <summary>The smallest parts of a rule that no rule of the owner holds, with the verbs of each put together again.</summary>
    public static IReadOnlyList<JsonObject> Missing(IReadOnlyList<JsonNode> owner, IEnumerable<JsonNode> granted) =>
    [
        .. granted.SelectMany(Parts).Where(part => !owner.Any(rule => Covers(rule, part)))
            .GroupBy(part => $"{part["apiGroups"]} {part["resources"]} {part["resourceNames"]} {part["nonResourceURLs"]}")
            .Select(same =>
            {
                var first = same.First().DeepClone().AsObject();
                first["verbs"] = new JsonArray([.. same.Select(part => (string)part["verbs"]![0]!).Distinct().Select(verb => (JsonNode?)verb)]);
                return first;
            }),
    ];

    /// <summary>As Kubernetes shows a rule: {APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}.</summary>
    public static string Show(JsonNode rule) => $"{{{string.Join(", ", new[] { ("APIGroups", "apiGroups"), ("Resources", "resources"), ("NonResourceURLs", "nonResourceURLs"), ("ResourceNames", "resourceNames"), ("Verbs", "verbs") }
        .Select(field => (field.Item1, Values: Strings(rule, field.Item2))).Where(field => field.Values.Count > 0).Select(field => $"{field.Item1}:{Quote(field.Values)}"))}}}";

    public static string Quote(IEnumerable<string> values) => $"[{string.Join(' ', values.Select(value => $"\"{value}\""))}]";

    private static IEnumerable<JsonObject> Parts(JsonNode rule)
    {
        var names = Strings(rule, "resourceNames");
        foreach (var verb in Strings(rule, "verbs"))
        {
            foreach (var part in Strings(rule, "apiGroups").SelectMany(group => Strings(rule, "resources").Select(resource => new JsonObject { ["apiGroups"] = new JsonArray(group), ["resources"] = new JsonArray(resource), ["verbs"] = new JsonArray(verb) })))
            {
                foreach (var name in names)
                {
                    var named = part.DeepClone().AsObject();
                    named["resourceNames"] = new JsonArray(name);
                    yield return named;
                }

                if (names.Count == 0)
                {
                    yield return part;
                }
            }

            foreach (var url in Strings(rule, "nonResourceURLs"))
            {
                yield return new JsonObject { ["nonResourceURLs"] = new JsonArray(url), ["verbs"] = new JsonArray(verb) };
            }
        }
    }

    private static bool Covers(JsonNode rule, JsonObject part)
    {
        if (!Has(rule, "verbs", (string)part["verbs"]![0]!))
        {
            return false;
        }

        if (part["nonResourceURLs"] is { } urls)
        {
            var path = (string)urls[0]!;
            return Strings(rule, "nonResourceURLs").Any(url => url == All || url == path || IsBelow(url, path));
        }

        var resource = (string)part["resources"]![0]!;
        var slash = resource.IndexOf('/', StringComparison.Ordinal);
        return Has(rule, "apiGroups", (string)part["apiGroups"]![0]!)
            && Strings(rule, "resources").Any(own => own == All || own == resource || (slash > 0 && own == $"*{resource[slash..]}"))
            && (Strings(rule, "resourceNames") is { Count: 0 } || ((string?)part["resourceNames"]?[0] is { } name && Strings(rule, "resourceNames").Contains(name)));
    }

    private static bool IsBelow(string url, string path) => url.EndsWith('*') && path.StartsWith(url[..^1], StringComparison.Ordinal);

    private static bool Has(JsonNode rule, string field, string value) => Strings(rule, field).Any(one => one == All || one == value);

    private static List<string> Strings(JsonNode rule, string field) => [.. (rule[field] as JsonArray ?? []).Select(value => (string?)value ?? "")];
}
