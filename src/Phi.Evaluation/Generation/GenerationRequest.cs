using System.Globalization;

namespace Phi.Evaluation.Generation;

/// <summary>Which model writes completions, and how. The training executable checks the values that are text.</summary>
public sealed record GenerationRequest
{
    public required string? Checkpoint { get; init; }

    public required string? FromHuggingFace { get; init; }

    public required int Samples { get; init; }

    public required string Temperature { get; init; }

    public required string TopP { get; init; }

    public required string TopK { get; init; }

    public required string Seed { get; init; }

    public required int MaxTokens { get; init; }

    public required int BatchSize { get; init; }

    /// <summary>Null: the training executable's own choice.</summary>
    public string? Device { get; init; }

    /// <summary>On what the completions depend, by the name of the option.</summary>
    public IReadOnlyDictionary<string, string> Question => new Dictionary<string, string>
    {
        ["checkpoint"] = Checkpoint is null ? "" : Path.GetFullPath(Checkpoint),
        ["from-hf"] = FromHuggingFace is null ? "" : Path.GetFullPath(FromHuggingFace),
        ["samples"] = Number(Samples),
        ["temperature"] = Temperature,
        ["top-p"] = TopP,
        ["top-k"] = TopK,
        ["seed"] = Seed,
        ["max-tokens"] = Number(MaxTokens),
    };

    public IReadOnlyList<string> Arguments(string prompts, string output) =>
    [
        "complete", "--prompts", prompts, "--output", output,
        .. Checkpoint is { } checkpoint ? new[] { "--checkpoint", checkpoint } : ["--from-hf", FromHuggingFace!],
        "--samples", Number(Samples), "--temperature", Temperature, "--top-p", TopP, "--top-k", TopK, "--seed", Seed, "--max-tokens", Number(MaxTokens), "--batch-size", Number(BatchSize), "--cut-prompts",
        .. Device is { } device ? new[] { "--device", device } : [],
    ];

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
