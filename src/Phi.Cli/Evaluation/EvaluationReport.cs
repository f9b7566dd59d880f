using Phi.Evaluation.Scoring;
using Phi.Evaluation.Suites;

namespace Phi.Cli.Evaluation;

/// <summary>What <c>phi eval</c> prints.</summary>
/// <param name="PassAtK">By k, from 0 to 1.</param>
/// <param name="Verdicts">Samples by verdict.</param>
/// <param name="Failing">What did not pass; null: not asked for.</param>
internal sealed record EvaluationReport(
    SuiteKind Suite, string Source, string Sha256, int Problems, int Samples, int Passed, IReadOnlyDictionary<string, double> PassAtK, IReadOnlyDictionary<string, int> Verdicts, string? Folder, IReadOnlyList<SampleResult>? Failing);
