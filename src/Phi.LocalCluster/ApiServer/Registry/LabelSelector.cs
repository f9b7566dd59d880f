using System.Text.Json.Nodes;

namespace Phi.LocalCluster.ApiServer.Registry;

/// <summary>metav1.LabelSelector, as objects hold it.</summary>
internal static class LabelSelector
{
    private static readonly string[] Operators = ["In", "NotIn", "Exists", "DoesNotExist"];

    /// <summary>No selector matches nothing, an empty one everything.</summary>
    public static bool Matches(JsonNode? selector, JsonObject value)
    {
        var labels = value["metadata"]!["labels"] as JsonObject;
        return selector is JsonObject terms
            && (terms["matchLabels"] as JsonObject ?? []).All(wanted => (string?)labels?[wanted.Key] == (string?)wanted.Value)
            && (terms["matchExpressions"] as JsonArray ?? []).All(expression => Matches(expression!, (string?)labels?[(string)expression!["key"]!]));
    }

    public static IEnumerable<FieldError> Check(JsonNode? selector, string path)
    {
        foreach (var (index, expression) in (selector?["matchExpressions"] as JsonArray ?? []).Index())
        {
            var at = $"{path}.matchExpressions[{index}]";
            var (verb, values) = ((string?)expression?["operator"], expression?["values"] as JsonArray ?? []);
            if (string.IsNullOrEmpty((string?)expression?["key"]))
            {
                yield return FieldError.Required($"{at}.key");
            }

            if (!Operators.Contains(verb))
            {
                yield return FieldError.Invalid($"{at}.operator", $"\"{verb}\"", "not a valid selector operator");
            }
            else if (verb is "In" or "NotIn" && values.Count == 0)
            {
                yield return FieldError.Required($"{at}.values", "must be specified when `operator` is 'In' or 'NotIn'");
            }
            else if (verb is "Exists" or "DoesNotExist" && values.Count > 0)
            {
                yield return FieldError.Forbidden($"{at}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
            }
        }
    }

    private static bool Matches(JsonNode expression, string? label)
    {
        var values = (expression["values"] as JsonArray ?? []).Select(value => (string?)value);
        return (string?)expression["operator"] switch
        {
            "In" => label is not null && values.Contains(label),
            "NotIn" => label is null || !values.Contains(label),
            "Exists" => label is not null,
            "DoesNotExist" => label is null,
            _ => false,
        };
    }
}
