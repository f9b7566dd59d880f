using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;

namespace Phi.LocalCluster.ApiServer.Disruption;

/// <summary>What a PodDisruptionBudget must be (policy/v1), and the arithmetic of its numbers and percentages.</summary>
internal static class BudgetRules
{
    public static IEnumerable<FieldError> Check(JsonObject budget)
    {
        var spec = budget["spec"] as JsonObject ?? [];
        var (minimum, maximum) = (spec["minAvailable"], spec["maxUnavailable"]);
        if (minimum is not null && maximum is not null)
        {
            yield return FieldError.Invalid("spec", spec.ToJsonString(), "minAvailable and maxUnavailable cannot be both set");
        }

        foreach (var (field, value) in new[] { ("spec.minAvailable", minimum), ("spec.maxUnavailable", maximum) })
        {
            if (value is not null && Problem(value) is { } problem)
            {
                yield return FieldError.Invalid(field, value.ToJsonString(), problem);
            }
        }

        if ((string?)spec["unhealthyPodEvictionPolicy"] is { } policy && policy is not ("IfHealthyBudget" or "AlwaysAllow"))
        {
            yield return new FieldError("spec.unhealthyPodEvictionPolicy", "FieldValueNotSupported", $"Unsupported value: \"{policy}\": supported values: \"AlwaysAllow\", \"IfHealthyBudget\"");
        }

        foreach (var error in LabelSelector.Check(spec["selector"], "spec.selector"))
        {
            yield return error;
        }
    }

    public static bool IsPercentage(JsonNode? value) => value?.GetValueKind() == JsonValueKind.String;

    /// <summary>A number as it is; a percentage of a total, rounded up.</summary>
    public static int Scale(JsonNode value, int total) => IsPercentage(value)
        ? (int)Math.Ceiling(int.Parse(((string)value!)[..^1], CultureInfo.InvariantCulture) * (double)total / 100)
        : (int)value;

    private static string? Problem(JsonNode value)
    {
        if (!IsPercentage(value))
        {
            return value.GetValueKind() == JsonValueKind.Number && (long)value >= 0 ? null : "must be greater than or equal to 0";
        }

        var text = (string)value!;
        return text.EndsWith('%') && int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var percent)
            ? percent > 100 ? "must not be greater than 100%" : null
            : "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%', or '93%', regex used for validation is '[0-9]+%')";
    }
}
