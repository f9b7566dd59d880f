using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Phi.LocalCluster.ApiServer.Registry;

/// <summary>Rules of metadata that hold for every kind.</summary>
internal static partial class ObjectRules
{
    private const string NameRule = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
    private const string LabelRule = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character, of at most 63 characters";

    /// <param name="isAnyName">Roles and bindings may have any name that can stand in a path, such as system:discovery.</param>
    public static IEnumerable<FieldError> Check(JsonObject value, bool isAnyName)
    {
        var metadata = value["metadata"]!.AsObject();
        var name = (string?)metadata["name"] ?? "";
        if (name.Length == 0)
        {
            yield return FieldError.Required("metadata.name", "name or generateName is required");
        }
        else if (isAnyName)
        {
            if (name is "." or ".." || name.AsSpan().ContainsAny('/', '%'))
            {
                yield return FieldError.Invalid("metadata.name", $"\"{name}\"", "may not be '.' or '..', and may not contain '/' or '%'");
            }
        }
        else if (name.Length > 253 || !Subdomain().IsMatch(name))
        {
            yield return FieldError.Invalid("metadata.name", $"\"{name}\"", NameRule);
        }

        foreach (var (key, label) in metadata["labels"] as JsonObject ?? [])
        {
            if (label is not JsonValue text || !text.TryGetValue(out string? content) || content.Length > 63 || !LabelValue().IsMatch(content))
            {
                yield return FieldError.Invalid("metadata.labels", $"\"{label}\"", $"{key}: {LabelRule}");
            }

            if (!QualifiedName().IsMatch(key))
            {
                yield return FieldError.Invalid("metadata.labels", $"\"{key}\"", "a qualified name is an optional DNS prefix and '/', then at most 63 alphanumeric characters, '-', '_' or '.'");
            }
        }

        foreach (var (index, owner) in (metadata["ownerReferences"] as JsonArray ?? []).Index())
        {
            foreach (var field in new[] { "apiVersion", "kind", "name", "uid" })
            {
                if (string.IsNullOrEmpty((string?)owner?[field]))
                {
                    yield return FieldError.Required($"metadata.ownerReferences[{index}].{field}");
                }
            }
        }
    }

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Subdomain();

    [GeneratedRegex(@"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex LabelValue();

    [GeneratedRegex(@"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex QualifiedName();
}
