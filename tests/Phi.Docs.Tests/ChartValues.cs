using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Phi.Docs.Tests;

/// <summary>What <c>values.schema.json</c> of the chart knows.</summary>
internal static partial class ChartValues
{
    private static readonly JsonNode Schema = JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.Root, "charts", "phi-orchestrator", "values.schema.json")))!;

    /// <summary>Values of <c>--set</c> that the chart does not have.</summary>
    public static IEnumerable<string> Wrong(IReadOnlyList<string> words) => words.Where((_, at) => at > 0 && words[at - 1] is "--set" or "--set-string")
        .SelectMany(word => word.Split(',')).Where(part => part.Contains('=', StringComparison.Ordinal)).Select(part => part.Split('=')[0])
        .Where(key => Missing(key) is not null).Select(key => $"the chart has no value {key}: {Missing(key)} is not in its schema");

    /// <summary>Values of a file, as a path each, that the chart does not have.</summary>
    public static IEnumerable<string> Wrong(JsonNode? value, string path = "") => value switch
    {
        JsonObject members => members.SelectMany(pair => Wrong(pair.Value, path.Length == 0 ? pair.Key : $"{path}.{pair.Key}")),
        _ => Missing(path) is { } part ? [$"the chart has no value {path}: {part} is not in its schema"] : [],
    };

    private static string? Missing(string key)
    {
        var schema = Schema;
        foreach (var part in Indices().Replace(key, "").Split('.'))
        {
            if ((schema["properties"]?[part] ?? schema["items"]?["properties"]?[part]) is { } next)
            {
                schema = next;
            }
            else
            {
                return schema["properties"] is not null || schema["items"] is not null ? part : null;
            }
        }

        return null;
    }

    [GeneratedRegex(@"\[\d+\]")]
    private static partial Regex Indices();
}
