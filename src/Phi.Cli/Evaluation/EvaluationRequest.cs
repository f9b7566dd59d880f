using Phi.Evaluation.Generation;
using Phi.Evaluation.Sandbox;
using Phi.Evaluation.Suites;

namespace Phi.Cli.Evaluation;

/// <summary>What <c>phi eval</c> was asked for.</summary>
internal sealed record EvaluationRequest
{
    public required SuiteKind Kind { get; init; }

    /// <summary>Path or address of the suite.</summary>
    public required string File { get; init; }

    public required string? Sha256 { get; init; }

    /// <summary>Full path; null: the model's, or the suite's own solutions.</summary>
    public required string? Completions { get; init; }

    public required GenerationRequest? Model { get; init; }

    public required IReadOnlyList<int> Ks { get; init; }

    public required int? Limit { get; init; }

    public required bool Truncate { get; init; }

    public required bool IsPartial { get; init; }

    public required SandboxLimits Limits { get; init; }

    public required int Workers { get; init; }

    public required string? Python { get; init; }

    /// <summary>Full path of the folder for results.</summary>
    public required string? Output { get; init; }
}
