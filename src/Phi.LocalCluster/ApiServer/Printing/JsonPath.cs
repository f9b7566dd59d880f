using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Phi.LocalCluster.ApiServer.Printing;

/// <summary>The JSONPath of printer columns: fields, indexes, <c>[*]</c> and filters such as <c>[?(@.type=="Ready")]</c>.</summary>
internal sealed partial class JsonPath
{
    private readonly List<Func<JsonNode, IEnumerable<JsonNode?>>> _steps = [];

    private JsonPath()
    {
    }

    /// <exception cref="FormatException">The text is no path of this kind.</exception>
    public static JsonPath Parse(string text)
    {
        var path = new JsonPath();
        var rest = text.Trim();
        rest = rest.StartsWith('{') && rest.EndsWith('}') ? rest[1..^1] : rest;
        while (rest.Length > 0)
        {
            var match = Step().Match(rest);
            if (!match.Success)
            {
                throw new FormatException($"'{text}' is no simple JSONPath at '{rest}'");
            }

            path._steps.Add(Read(match));
            rest = rest[match.Length..];
        }

        return path;
    }

    public IReadOnlyList<JsonNode> Select(JsonNode root)
    {
        IEnumerable<JsonNode> nodes = [root];
        foreach (var step in _steps)
        {
            nodes = nodes.SelectMany(node => step(node)).OfType<JsonNode>();
        }

        return [.. nodes];
    }

    private static Func<JsonNode, IEnumerable<JsonNode?>> Read(Match match)
    {
        if (match.Groups["field"] is { Success: true } field)
        {
            var name = field.Value.Replace("\\.", ".", StringComparison.Ordinal);
            return node => [(node as JsonObject)?[name]];
        }

        if (match.Groups["index"] is { Success: true } index)
        {
            var at = int.Parse(index.ValueSpan, CultureInfo.InvariantCulture);
            return node => node is JsonArray items && (at < 0 ? at + items.Count : at) is var i && i >= 0 && i < items.Count ? [items[i]] : [];
        }

        if (match.Groups["key"] is { Success: true } key)
        {
            var (path, wanted) = (Parse(key.Value), match.Groups["value"].Value);
            return node => (node as JsonArray ?? []).Where(item => item is not null && path.Select(item) is [var found, ..] && found.ToString() == wanted);
        }

        return node => node switch { JsonArray items => items, JsonObject members => members.Select(pair => pair.Value), _ => [] };
    }

    [GeneratedRegex("""^(?:\[\?\(@(?<key>\.[^=\s]+)\s*==\s*["'](?<value>[^"']*)["']\)\]|\[(?<index>-?\d+)\]|\[['"](?<field>[^'"]+)['"]\]|\[\*\]|\.\*|\.(?<field>(?:[^.\[\\]|\\.)+))""", RegexOptions.CultureInvariant)]
    private static partial Regex Step();
}
