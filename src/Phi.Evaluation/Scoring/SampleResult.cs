using System.Text.Json.Serialization;

namespace Phi.Evaluation.Scoring;

/// <summary>One completion and its verdict: a line of <c>results.jsonl</c>. Names are the field's.</summary>
public sealed record SampleResult
{
    [JsonPropertyName("task_id")]
    public required string TaskId { get; init; }

    /// <summary>From 0, within the problem.</summary>
    [JsonPropertyName("sample")]
    public required int Sample { get; init; }

    [JsonPropertyName("completion")]
    public required string Completion { get; init; }

    [JsonPropertyName("passed")]
    public bool Passed => Verdict == Verdict.Passed;

    [JsonPropertyName("verdict")]
    [JsonConverter(typeof(JsonStringEnumConverter<Verdict>))]
    public required Verdict Verdict { get; init; }

    /// <summary>Why it did not pass; empty where it did.</summary>
    [JsonPropertyName("message")]
    public required string Message { get; init; }

    [JsonPropertyName("stdout")]
    public required string Output { get; init; }

    [JsonPropertyName("stderr")]
    public required string Error { get; init; }

    [JsonPropertyName("seconds")]
    public required double Seconds { get; init; }
}
