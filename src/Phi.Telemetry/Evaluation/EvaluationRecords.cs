using Phi.Api.Agent;

namespace Phi.Telemetry.Evaluation;

/// <summary>What came of one checkpoint and one suite.</summary>
/// <param name="Attempt">The one that committed the checkpoint.</param>
/// <param name="Reason">Why there is no score, such as <see cref="EvaluationEvent.SandboxRefused"/>; null: there is one.</param>
public sealed record EvaluationRecord(long Step, string Suite, int Attempt, DateTimeOffset Time, string? Reason, string Message)
{
    public required int Problems { get; init; }
    /// <summary>Of each problem.</summary>
    public required int Samples { get; init; }
    /// <summary>Of all samples.</summary>
    public required int Passed { get; init; }
    /// <summary>pass@k by k, from 0 to 1.</summary>
    public required IReadOnlyDictionary<int, double> PassAt { get; init; }
    public required double Temperature { get; init; }
    public required double TopP { get; init; }
    public required int MaxTokens { get; init; }
    /// <summary>Of the suite's file.</summary>
    public required string? Sha256 { get; init; }
    public required double Seconds { get; init; }
}

/// <summary>How one problem went.</summary>
/// <param name="Number">In the order of the suite, from 0.</param>
/// <param name="Verdict">Of the first sample that failed; if none did, <see cref="EvaluatedSample.Passed"/>.</param>
public sealed record ProblemSummary(int Number, string Name, int Samples, int Passed, string Verdict);

/// <summary>One problem, to be read.</summary>
/// <param name="Shown">The first samples.</param>
public sealed record ProblemDetail(ProblemSummary Summary, string Prompt, IReadOnlyList<EvaluatedSample> Shown);

/// <summary>Which evaluation of a run.</summary>
/// <param name="Run">The job's uid.</param>
public sealed record EvaluationKey(string Run, long Step, string Suite);

/// <summary>How an evaluation's scores are called among a run's metrics.</summary>
public static class EvaluationMetric
{
    private const string Infix = "_pass_at_";

    public static string Of(string suite, int k) => $"{suite}{Infix}{k}";

    public static bool Is(string metric) => metric.Contains(Infix, StringComparison.Ordinal);

    public static bool Is(string metric, int k) => metric.EndsWith($"{Infix}{k}", StringComparison.Ordinal);
}
