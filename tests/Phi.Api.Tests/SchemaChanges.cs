using System.Globalization;
using System.Text.Json.Nodes;

namespace Phi.Api.Tests;

/// <summary>What of a definition's change would refuse, lose or read otherwise an object that was valid before it. src/Phi.Api/Crds/README.md has the rules.</summary>
internal static class SchemaChanges
{
    private static readonly string[] Limits = ["maxLength", "maxItems", "maxProperties", "maximum"];
    private static readonly string[] LowerLimits = ["minLength", "minItems", "minProperties", "minimum"];
    private static readonly string[] Same = ["type", "format", "pattern", "default", "nullable", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-int-or-string"];

    /// <summary>One line for each, with the field and the remedy; none where the change only adds.</summary>
    public static IReadOnlyList<string> Breaking(JsonObject released, JsonObject current)
    {
        var changes = new List<string>();
        string[] names = ["spec.scope", "spec.group", "spec.names.kind", "spec.names.plural", "spec.names.singular"];
        changes.AddRange(names.Where(path => !JsonNode.DeepEquals(At(released, path), At(current, path))).Select(path => $"{path} is {At(current, path)}, and was {At(released, path)}: make a new kind instead"));
        changes.AddRange(Texts(released["spec"]!["names"]!["shortNames"]).Except(Texts(current["spec"]!["names"]!["shortNames"])).Select(name => $"the short name {name} is gone: people's scripts have it; keep it"));
        foreach (var version in released["spec"]!["versions"]!.AsArray())
        {
            var name = (string)version!["name"]!;
            var now = current["spec"]!["versions"]!.AsArray().FirstOrDefault(one => (string?)one!["name"] == name);
            if (now is null || (bool?)now["served"] != true)
            {
                changes.Add($"version {name} is no longer served: keep it until its time of deprecation is over (docs/operations/upgrades.md)");
                continue;
            }

            changes.AddRange(((JsonObject)version["subresources"]!).Where(pair => now["subresources"]?[pair.Key] is null).Select(pair => $"{name}: the subresource {pair.Key} is gone: keep it"));
            Compare(name, version["schema"]!["openAPIV3Schema"]!.AsObject(), now["schema"]!["openAPIV3Schema"]!.AsObject(), changes);
        }

        return changes;
    }

    private static void Compare(string path, JsonObject was, JsonObject now, List<string> changes)
    {
        changes.AddRange(Same.Where(key => !JsonNode.DeepEquals(was[key], now[key])).Select(key => $"{path}: {key} is {Text(now[key])}, and was {Text(was[key])}: keep it, or add another field"));
        changes.AddRange(Limits.Where(key => now[key] is { } most && (was[key] is not { } before || Number(most) < Number(before))).Select(key => $"{path}: {key} is {Text(now[key])}, and was {Text(was[key])}: a limit may only grow"));
        changes.AddRange(LowerLimits.Where(key => now[key] is { } least && (was[key] is not { } before || Number(least) > Number(before))).Select(key => $"{path}: {key} is {Text(now[key])}, and was {Text(was[key])}: a lower limit may only fall"));
        if (now["enum"] is { } values)
        {
            changes.AddRange(was["enum"] is { } before
                ? Texts(before).Except(Texts(values)).Select(value => $"{path}: the value {value} is gone: keep it")
                : [$"{path}: only {string.Join(", ", Texts(values))} are taken, and any was: check it in the operator's validator instead"]);
        }

        var properties = now["properties"] as JsonObject;
        changes.AddRange(Texts(now["required"]).Except(Texts(was["required"])).Where(name => properties?[name]?["default"] is null).Select(name => $"{path}.{name} is required, and was not: give it a default, or check it in the operator's validator"));
        changes.AddRange(Rules(now).Except(Rules(was)).Select(rule => $"{path}: the rule {rule} is new: objects that are stored may break it; check it in the operator's validator"));
        foreach (var (name, before) in (was["properties"] as JsonObject) ?? [])
        {
            if (properties?[name] is JsonObject after)
            {
                Compare($"{path}.{name}", before!.AsObject(), after, changes);
            }
            else
            {
                changes.Add($"{path}.{name} is gone: what is stored in it would be lost; keep it, and say in its comment that it is no longer read");
            }
        }

        Below(path + "[]", was["items"], now["items"], changes);
        Below(path + ".NAME", was["additionalProperties"], now["additionalProperties"], changes);
    }

    private static void Below(string path, JsonNode? was, JsonNode? now, List<string> changes)
    {
        if (was is JsonObject before && now is JsonObject after)
        {
            Compare(path, before, after, changes);
        }
        else if (!JsonNode.DeepEquals(was, now))
        {
            changes.Add($"{path} is {Text(now)}, and was {Text(was)}: add another field");
        }
    }

    private static JsonNode? At(JsonObject root, string path) => path.Split('.').Aggregate((JsonNode?)root, (at, name) => at?[name]);

    private static IEnumerable<string> Texts(JsonNode? values) => (values as JsonArray)?.Select(value => value!.ToString()) ?? [];

    private static IEnumerable<string> Rules(JsonObject schema) => (schema["x-kubernetes-validations"] as JsonArray)?.Select(rule => (string)rule!["rule"]!) ?? [];

    private static double Number(JsonNode value) => double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture);

    private static string Text(JsonNode? value) => value?.ToJsonString() ?? "not set";
}
