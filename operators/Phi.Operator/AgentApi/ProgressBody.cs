using System.Text.Json;
using System.Text.RegularExpressions;
using Phi.Api.Agent;
using Phi.Api.Metadata;

namespace Phi.Operator.AgentApi;

/// <summary>Reads a <see cref="ContainerProgress"/> that anybody's program wrote; what is wrong is named by its field.</summary>
internal static partial class ProgressBody
{
    private const int MostMetrics = 100;

    /// <summary>The progress and its other numbers, or null and what is wrong.</summary>
    public static (ContainerProgress Progress, IReadOnlyDictionary<string, double> Metrics)? Read(ReadOnlySpan<byte> json, out string problem)
    {
        problem = "";
        ContainerProgress progress;
        try
        {
            progress = JsonSerializer.Deserialize<ContainerProgress>(json, PhiJson.Options) ?? throw new JsonException("The body is null.");
        }
        catch (JsonException e)
        {
            problem = e.Path is { Length: > 2 } path
                ? $"{path[2..]}: {e.Message.Split(" Path:")[0]} Write {{\"step\": 1, \"loss\": 2.5}}, numbers all."
                : $"the body is no progress: {e.Message.Split(" Path:")[0]} Write {{\"step\": 1, \"loss\": 2.5}}; a loss that is not finite is \"NaN\", in quotes.";
            return null;
        }

        problem = Check(progress) ?? "";
        return problem.Length > 0 ? null : (progress, (progress.Metrics ?? []).ToDictionary(metric => metric.Key, metric => metric.Value.GetDouble()));
    }

    private static string? Check(ContainerProgress progress)
    {
        var metrics = progress.Metrics ?? [];
        return progress switch
        {
            { Step: < 1 } => $"step: {progress.Step}: must be at least 1; count the steps that are done",
            { Tokens: < 0 } => $"tokens: {progress.Tokens}: must be at least 0; count the tokens of the whole job so far",
            { Checkpoint: "" or { Length: > 4096 } } => "checkpoint: must have 1 to 4096 characters; write the path or URI of what was saved",
            _ when metrics.Count > MostMetrics => $"the body has {metrics.Count} other numbers; at most {MostMetrics} become curves: leave some out",
            _ when metrics.FirstOrDefault(metric => metric.Value.ValueKind != JsonValueKind.Number) is { Key: { } name, Value: var value } => $"{name}: {Short(value.GetRawText())}: must be a number; leave out what is none",
            _ when metrics.Keys.FirstOrDefault(key => !Name().IsMatch(key)) is { } name => $"{Short(name)}: a curve's name has letters, digits, '_', '.', '/' and '-', at most 64; rename it",
            _ => null,
        };
    }

    private static string Short(string text) => text.Length <= 80 ? text : text[..80] + "…";

    [GeneratedRegex("^[A-Za-z_][-A-Za-z0-9_./]{0,63}$", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
