using System.Text.Json.Nodes;

namespace Phi.LocalCluster.ApiServer.Registry;

/// <summary>What a CustomResourceDefinition must be, and its status once it is served.</summary>
internal static class DefinitionRules
{
    public static IEnumerable<FieldError> Check(JsonObject definition)
    {
        var spec = definition["spec"] as JsonObject ?? [];
        var names = spec["names"] as JsonObject ?? [];
        var isComplete = true;
        foreach (var (field, value) in new[] { ("spec.group", spec["group"]), ("spec.scope", spec["scope"]), ("spec.names.plural", names["plural"]), ("spec.names.kind", names["kind"]) })
        {
            if (string.IsNullOrEmpty((string?)value))
            {
                isComplete = false;
                yield return FieldError.Required(field);
            }
        }

        var name = $"{(string?)names["plural"]}.{(string?)spec["group"]}";
        if ((string?)definition["metadata"]!["name"] != name)
        {
            yield return FieldError.Invalid("metadata.name", $"\"{(string?)definition["metadata"]!["name"]}\"", $"must be spec.names.plural+\".\"+spec.group, \"{name}\"");
        }

        var versions = (spec["versions"] as JsonArray ?? []).OfType<JsonObject>().ToList();
        if (versions.Count(version => (bool?)version["storage"] == true) != 1)
        {
            yield return FieldError.Invalid("spec.versions", null, "must have exactly one version marked as storage version");
        }

        if (versions.Exists(version => version["schema"]?["openAPIV3Schema"] is null))
        {
            yield return FieldError.Required("spec.versions[*].schema.openAPIV3Schema", "schemas are required");
        }

        if (isComplete && Compile(definition) is { } problem)
        {
            yield return FieldError.Invalid("spec.versions[*].schema", null, problem);
        }
    }

    /// <summary>This server serves a definition from the moment it is stored.</summary>
    public static void Establish(JsonObject definition, string now)
    {
        var spec = definition["spec"]!;
        var names = spec["names"]!.AsObject();
        names["singular"] ??= ((string)names["kind"]!).ToLowerInvariant();
        names["listKind"] ??= $"{(string)names["kind"]!}List";
        var since = (definition["status"]?["conditions"] as JsonArray)?.FirstOrDefault()?["lastTransitionTime"]?.ToString() ?? now;
        definition["status"] = new JsonObject
        {
            ["acceptedNames"] = names.DeepClone(),
            ["conditions"] = new JsonArray(
                Condition("NamesAccepted", "NoConflicts", "no conflicts found", since),
                Condition("Established", "InitialNamesAccepted", "the initial names have been accepted", since)),
            ["storedVersions"] = new JsonArray([.. spec["versions"]!.AsArray().Where(version => (bool?)version!["storage"] == true).Select(version => version!["name"]!.DeepClone())]),
        };
    }

    private static string? Compile(JsonObject definition)
    {
        try
        {
            ResourceCatalog.Parse(definition);
            return null;
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException)
        {
            return e.Message;
        }
    }

    private static JsonObject Condition(string type, string reason, string message, string now) =>
        new() { ["type"] = type, ["status"] = "True", ["reason"] = reason, ["message"] = message, ["lastTransitionTime"] = now };
}
