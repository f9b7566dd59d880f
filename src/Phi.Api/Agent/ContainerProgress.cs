using System.Text.Json;
using System.Text.Json.Serialization;

namespace Phi.Api.Agent;

/// <summary>What a <c>container</c> job says of itself, in one HTTP request. The pod and the attempt follow from the URL; replica 0's reports are the job's progress.</summary>
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
}
