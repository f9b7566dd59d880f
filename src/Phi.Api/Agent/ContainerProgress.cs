using System.Text.Json;
using System.Text.Json.Serialization;

namespace Phi.Api.Agent;

/// <summary>
/// What a <c>container</c> job says of itself, in one HTTP request or one line of its progress file. The pod and the attempt follow from
/// where it is said; replica 0's reports are the job's progress.
/// </summary>
public sealed record ContainerProgress
{
    /// <summary>Steps completed, from 1.</summary>
    public required long Step { get; init; }
    public double? Loss { get; init; }
    public long? Tokens { get; init; }
    /// <summary>Where a checkpoint of this step was committed.</summary>
    public string? Checkpoint { get; init; }
    /// <summary>Any other number becomes a curve of that name.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Metrics { get; init; }

    /// <summary>Every number of the step by its curve's name.</summary>
    public Dictionary<string, double> Numbers()
    {
        var all = (Metrics ?? []).ToDictionary(metric => metric.Key, metric => Number(metric.Value)!.Value);
        if (Loss is { } loss)
        {
            all["loss"] = loss;
        }

        if (Tokens is { } tokens)
        {
            all["tokens"] = tokens;
        }

        return all;
    }

    internal static double? Number(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDouble(),
        JsonValueKind.String => value.GetString() switch
        {
            "NaN" => double.NaN,
            "Infinity" => double.PositiveInfinity,
            "-Infinity" => double.NegativeInfinity,
            _ => null,
        },
        _ => null,
    };
}
