using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Phi.Api.Crds;
using Phi.Api.Manifests;

namespace Phi.Docs.Tests.Reference;

/// <summary>A kind's fields, from its definition: path, type, default, and what the API server or the comment says of each.</summary>
internal static class CrdPage
{
    public static string Write(string kind)
    {
        var definition = CrdCatalog.All.Select(yaml => ManifestReader.Read(yaml)[0]).Single(one => (string?)one["spec"]!["names"]!["kind"] == kind)["spec"]!;
        var version = definition["versions"]![0]!;
        var schema = version["schema"]!["openAPIV3Schema"]!.AsObject();
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# {kind}\n\n{MarkdownText.Cell((string?)schema["description"])}\n\n");
        text.Append(CultureInfo.InvariantCulture, $"`apiVersion: {definition["group"]}/{version["name"]}`, `kind: {kind}`; {((string?)definition["scope"] == "Cluster" ? "cluster-scoped" : "namespaced")}. ");
        text.Append(CultureInfo.InvariantCulture, $"Defaults in the column are filled in by the API server; others are said in words. Rules are the API server's; the operator checks more where fields hang together. {MarkdownText.Generated}\n");
        foreach (var (part, by) in new[] { ("spec", "Written by the user."), ("status", "Written by the operator.") })
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {part}\n\n{by}\n\n| field | type | default | what it means, and rules |\n| --- | --- | --- | --- |\n");
            var at = schema["properties"]![part]!.AsObject();
            Row(text, part, at, isRequired: part == "spec");
            Fields(text, part, at);
        }

        return text.ToString();
    }

    private static void Fields(StringBuilder text, string path, JsonObject schema)
    {
        var required = (schema["required"] as JsonArray)?.Select(name => (string)name!).ToHashSet() ?? [];
        foreach (var (name, child) in (schema["properties"] as JsonObject) ?? [])
        {
            var (field, at) = ($"{path}.{name}", child!.AsObject());
            Row(text, field, at, required.Contains(name));
            Below(text, field, at);
        }
    }

    private static void Below(StringBuilder text, string path, JsonObject schema)
    {
        Fields(text, path, schema);
        if (schema["items"] is JsonObject items)
        {
            if (items["properties"] is not null || items["x-kubernetes-validations"] is not null)
            {
                Notes(items).ToList().ForEach(note => text.Append(CultureInfo.InvariantCulture, $"| {MarkdownText.Code($"{path}[]")} | {Type(items)} |  | {MarkdownText.Cell(note)} |\n"));
            }

            Below(text, $"{path}[]", items);
        }

        if (schema["additionalProperties"] is JsonObject values)
        {
            Below(text, $"{path}.NAME", values);
        }
    }

    private static void Row(StringBuilder text, string path, JsonObject schema, bool isRequired)
    {
        var notes = Notes(schema).ToList();
        var words = string.Join(" ", (isRequired ? notes.Prepend("Required.") : notes).Select(MarkdownText.Cell));
        text.Append(CultureInfo.InvariantCulture, $"| {MarkdownText.Code(path)} | {Type(schema)} | {(schema["default"] is { } value ? MarkdownText.Code(value.ToJsonString()) : "")} | {words} |\n");
    }

    private static IEnumerable<string> Notes(JsonObject schema)
    {
        if ((string?)schema["description"] is { } description)
        {
            yield return description.EndsWith('.') ? description : description + ".";
        }

        if (schema["enum"] is JsonArray values)
        {
            yield return $"One of {string.Join(", ", values)}.";
        }

        foreach (var rule in (schema["x-kubernetes-validations"] as JsonArray) ?? [])
        {
            var message = (string)rule!["message"]!;
            // Others begin with a field's name.
            yield return message.StartsWith("must", StringComparison.Ordinal) ? $"M{message[1..]}." : $"{message}.";
        }
    }

    private static string Type(JsonObject schema) => (string?)schema["type"] switch
    {
        "array" => $"{Type(schema["items"]!.AsObject())}[]",
        "object" when schema["additionalProperties"] is JsonObject values => $"map of {Type(values)}",
        "object" when (bool?)schema["x-kubernetes-preserve-unknown-fields"] == true => "any object",
        "string" when (string?)schema["format"] == "date-time" => "time",
        { } type => type,
        null => "any",
    };
}
