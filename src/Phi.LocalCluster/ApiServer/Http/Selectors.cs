using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Phi.LocalCluster.ApiServer.Http;

/// <summary>Label and field selectors of a list or watch.</summary>
internal sealed partial class Selectors
{
    private readonly List<Predicate<JsonObject>> _conditions = [];

    public bool IsEverything => _conditions.Count == 0;

    /// <exception cref="ApiException">A selector cannot be read.</exception>
    public static Selectors Parse(string? labels, string? fields)
    {
        var selectors = new Selectors();
        foreach (Match term in Terms().Matches(labels ?? ""))
        {
            selectors._conditions.Add(Label(term.Value.Trim()));
        }

        foreach (var term in (fields ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            selectors._conditions.Add(Field(term.Trim()));
        }

        return selectors;
    }

    public bool Match(JsonObject value) => _conditions.TrueForAll(condition => condition(value));

    private static Predicate<JsonObject> Label(string term)
    {
        if (SetTerm().Match(term) is { Success: true } set)
        {
            var (key, values) = (set.Groups["key"].Value, set.Groups["values"].Value.Split(',').Select(value => value.Trim()).ToHashSet());
            return set.Groups["not"].Success ? value => Get(value, key) is not { } there || !values.Contains(there) : value => Get(value, key) is { } there && values.Contains(there);
        }

        if (Equality().Match(term) is { Success: true } equality)
        {
            var (key, wanted) = (equality.Groups["key"].Value, equality.Groups["value"].Value);
            return equality.Groups["not"].Success ? value => Get(value, key) != wanted : value => Get(value, key) == wanted;
        }

        if (Existence().Match(term) is { Success: true } existence)
        {
            var key = existence.Groups["key"].Value;
            return existence.Groups["not"].Success ? value => Get(value, key) is null : value => Get(value, key) is not null;
        }

        throw ApiException.BadRequest($"unable to parse requirement: '{term}' is no label selector; write key=value, key!=value, key in (a,b), key or !key");

        static string? Get(JsonObject value, string key) => (string?)value["metadata"]?["labels"]?[key];
    }

    private static Predicate<JsonObject> Field(string term)
    {
        if (Equality().Match(term) is not { Success: true } match)
        {
            throw ApiException.BadRequest($"invalid field selector '{term}': write path=value or path!=value");
        }

        var (path, wanted, negated) = (match.Groups["key"].Value.Split('.'), match.Groups["value"].Value, match.Groups["not"].Success);
        return value =>
        {
            JsonNode? at = value;
            foreach (var name in path)
            {
                at = (at as JsonObject)?[name];
            }

            return ((at?.ToString() ?? "") == wanted) != negated;
        };
    }

    [GeneratedRegex(@"(?:[^,(]|\([^)]*\))+", RegexOptions.CultureInvariant)]
    private static partial Regex Terms();

    [GeneratedRegex(@"^(?<key>[^\s=!(),]+)\s+(?<not>not)?in\s*\((?<values>[^)]*)\)$", RegexOptions.CultureInvariant)]
    private static partial Regex SetTerm();

    [GeneratedRegex(@"^(?<key>[^\s=!(),]+)\s*(?:(?<not>!=)|==?)\s*(?<value>[^\s=!()]*)$", RegexOptions.CultureInvariant)]
    private static partial Regex Equality();

    [GeneratedRegex(@"^(?<not>!)?\s*(?<key>[^\s=!(),]+)$", RegexOptions.CultureInvariant)]
    private static partial Regex Existence();
}
