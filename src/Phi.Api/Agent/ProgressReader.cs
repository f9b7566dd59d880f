using System.Text.Json;
using System.Text.RegularExpressions;
using Phi.Api.Metadata;

namespace Phi.Api.Agent;

/// <summary>Reads a <see cref="ContainerProgress"/> that anybody's program wrote; what is wrong is named by its field.</summary>
public static partial class ProgressReader
{
    private const int MostMetrics = 100;

    /// <summary>The progress, or null and what is wrong. Numbers that are not finite may stand as Python writes them: NaN, Infinity, -Infinity.</summary>
    public static ContainerProgress? Read(ReadOnlySpan<byte> json, out string problem)
    {
        ContainerProgress progress;
        try
        {
            progress = JsonSerializer.Deserialize<ContainerProgress>(NonFinite.Quote(json), PhiJson.Options) ?? throw new JsonException("It is null.");
        }
        catch (JsonException e)
        {
            problem = e.Path is { Length: > 2 } path
                ? $"{path[2..]}: {e.Message.Split(" Path:")[0]} Write {{\"step\": 1, \"loss\": 2.5}}, numbers all."
                : $"this is no progress: {e.Message.Split(" Path:")[0]} Write {{\"step\": 1, \"loss\": 2.5}}.";
            return null;
        }

        problem = Check(progress) ?? "";
        return problem.Length > 0 ? null : progress;
    }

    private static string? Check(ContainerProgress progress)
    {
        var metrics = progress.Metrics ?? [];
        return progress switch
        {
            { Step: < 1 } => $"step: {progress.Step}: must be at least 1; count the steps that are done",
            { Tokens: < 0 } => $"tokens: {progress.Tokens}: must be at least 0; count the tokens of the whole job so far",
            { Checkpoint: "" or { Length: > 4096 } } => "checkpoint: must have 1 to 4096 characters; write the path or URI of what was saved",
            _ when metrics.Count > MostMetrics => $"there are {metrics.Count} other numbers; at most {MostMetrics} become curves: leave some out",
            _ when metrics.FirstOrDefault(metric => ContainerProgress.Number(metric.Value) is null) is { Key: { } name, Value: var value } => $"{name}: {Short(value.GetRawText())}: must be a number; leave out what is none",
            _ when metrics.Keys.FirstOrDefault(key => !Name().IsMatch(key)) is { } name => $"{Short(name)}: a curve's name has letters, digits, '_', '.', '/' and '-', at most 64; rename it",
            _ => null,
        };
    }

    private static string Short(string text) => text.Length <= 80 ? text : text[..80] + "…";

    [GeneratedRegex("^[A-Za-z_][-A-Za-z0-9_./]{0,63}$", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
